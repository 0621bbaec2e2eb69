-- What a command asks of the servers that run on this store, and what each of them answers.
-- Times are milliseconds since the Unix epoch.

CREATE TABLE orders (
    id TEXT PRIMARY KEY NOT NULL,
    -- "list" or "kick".
    verb TEXT NOT NULL,
    -- Whom it is about; empty for "list".
    subject TEXT NOT NULL,
    at BIGINT NOT NULL
);

CREATE TABLE answers (
    order_id TEXT NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    -- A number that each server draws when it starts.
    server TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (order_id, server)
);
