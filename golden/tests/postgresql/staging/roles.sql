-- Roles of cluster staging. To be run again and again; drops nothing.
-- From clusters.staging, by odoogen. A change here is lost: edit the spec, build, review, push.

SELECT 'CREATE ROLE "prometheus"' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'prometheus') \gexec
ALTER ROLE "prometheus" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 5;
GRANT pg_monitor TO "prometheus";
SELECT 'CREATE ROLE "odoo-staging17"' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'odoo-staging17') \gexec
ALTER ROLE "odoo-staging17" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 91;
SELECT 'CREATE ROLE "odoo-staging19"' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'odoo-staging19') \gexec
ALTER ROLE "odoo-staging19" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 91;
