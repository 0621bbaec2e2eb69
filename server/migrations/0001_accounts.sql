-- Accounts, their tokens, and what was revoked lately.
-- Times are milliseconds since the Unix epoch. Secrets are stored as SHA-256 in hexadecimal digits.

CREATE TABLE users (
    name TEXT PRIMARY KEY NOT NULL,
    created BIGINT NOT NULL
);

-- One row is one device: a browser, a terminal, a bot.
CREATE TABLE tokens (
    hash TEXT PRIMARY KEY NOT NULL,
    user_name TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    -- What people call the device, for example "Firefox on Linux".
    device TEXT NOT NULL,
    created BIGINT NOT NULL,
    last_used BIGINT,
    -- How the device is reached, its instance while it is, and until when that holds without a refresh.
    contact TEXT,
    instance TEXT,
    contact_expires BIGINT,
    -- Made for one browser from the code of a log-in link; such a token goes when that browser logs out.
    minted_by_code BOOLEAN NOT NULL
);

CREATE INDEX tokens_by_user ON tokens (user_name);

-- Codes of log-in links. Made by a running server, and void when the next one starts.
CREATE TABLE codes (
    hash TEXT PRIMARY KEY NOT NULL,
    user_name TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    created BIGINT NOT NULL
);

-- Devices that lost their token. Running servers read it once a second and end the live sockets of what they find.
CREATE TABLE revocations (
    hash TEXT PRIMARY KEY NOT NULL,
    user_name TEXT NOT NULL,
    instance TEXT NOT NULL,
    at BIGINT NOT NULL
);

CREATE INDEX revocations_by_time ON revocations (at);
