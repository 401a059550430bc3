"""PostgreSQL through psycopg: validations, documents, jobs, reviews, the audit log."""
