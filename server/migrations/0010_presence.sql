-- Whom users show themselves to, which users other judges have vouched for, and who was added when.
-- Times are milliseconds since the Unix epoch.

-- To whom a user shows that they are reachable: names with a new line between them. No row: they have not said.
CREATE TABLE audiences (
    user_name TEXT PRIMARY KEY NOT NULL,
    names TEXT NOT NULL
);

-- Users of another judge who were here once. No guest may have their names.
CREATE TABLE vouched_users (
    name TEXT PRIMARY KEY NOT NULL,
    created BIGINT NOT NULL
);

CREATE INDEX vouched_users_by_time ON vouched_users (created);

-- A running server looks for new ones every second.
CREATE INDEX users_by_time ON users (created);
