-- The key that a token is bound to since its first proof of possession: the SHA-256 thumbprint of the public key
-- (RFC 7638) in URL-safe base64. Null while nobody has proved any.
ALTER TABLE tokens ADD COLUMN bound_key TEXT;
