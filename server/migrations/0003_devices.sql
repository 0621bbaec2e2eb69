-- What users and operators decided about devices. Users of another judge have no row elsewhere, so nothing is referenced.

-- Which devices of a user ring: `all`, `capable` or `nominated`; NULL where the operator's default counts. And the
-- instance that the user nominated.
CREATE TABLE device_policies (
    user_name TEXT PRIMARY KEY NOT NULL,
    policy TEXT,
    nominated TEXT
);

-- What a device declared that it can do: words with blanks between them.
CREATE TABLE device_capabilities (
    user_name TEXT NOT NULL,
    instance TEXT NOT NULL,
    words TEXT NOT NULL,
    PRIMARY KEY (user_name, instance)
);
