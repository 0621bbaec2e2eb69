-- When a token was bound to its key. Running servers read it once a second, and end connections that came without a proof.
-- Tokens that were bound before have none: no connection is left from then.
ALTER TABLE tokens ADD COLUMN bound_at BIGINT;

CREATE INDEX tokens_by_binding ON tokens (bound_at);

-- Contacts end that nobody refreshes.
CREATE INDEX tokens_by_contact_end ON tokens (contact_expires);
