-- What Odoo expects in its database, and what only a superuser gives: searches by similarity, and without accents. Odoo
-- builds indexes on unaccent() where it is immutable. A dump does not say that it is: run this before restoring one.
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;
CREATE EXTENSION IF NOT EXISTS unaccent SCHEMA public;
ALTER FUNCTION public.unaccent(text) IMMUTABLE;
