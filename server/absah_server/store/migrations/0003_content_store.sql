-- Which store holds the contents of documents: that in which a content of this digest lies.
create table content_store (
    sha256 bytea not null,
    -- There is one.
    single boolean primary key default true check (single)
);
