-- Codes of log-in links, made by commands, by mail, or by a server with demo users.
-- Whom a link is for may be no user before it is used, so nothing is referenced. Old codes were good for one run of a server.
DROP TABLE codes;

CREATE TABLE codes (
    hash TEXT PRIMARY KEY NOT NULL,
    user_name TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    -- 'once': by one browser. 'sign-up': by one browser, which makes the user. 'demo': by any number, until a server starts.
    kind TEXT NOT NULL
);

CREATE INDEX codes_by_user ON codes (user_name, created);
CREATE INDEX codes_by_time ON codes (expires);
