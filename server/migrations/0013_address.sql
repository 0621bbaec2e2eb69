-- Where people reached the server that started last, for the links that commands print. One row at most.
CREATE TABLE last_address (
    only_row BIGINT PRIMARY KEY NOT NULL,
    url TEXT NOT NULL
);
