-- Who may ring whom. Users of another judge have no row elsewhere, so nothing is referenced.

-- Whom a user has to do with.
CREATE TABLE relations (
    user_name TEXT NOT NULL,
    other TEXT NOT NULL,
    -- `known`: the user called or answered them; `blocked`.
    standing TEXT NOT NULL,
    PRIMARY KEY (user_name, other)
);

-- Who rings a user: `everybody`, or those `known`. Everybody where there is no row.
CREATE TABLE ring_rules (
    user_name TEXT PRIMARY KEY NOT NULL,
    ring TEXT NOT NULL
);

-- What the servers of this store share and nobody else may know, by name, in base64.
CREATE TABLE secrets (
    name TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);
