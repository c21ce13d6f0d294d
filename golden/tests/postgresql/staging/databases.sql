-- Databases of cluster staging. To be run again and again; drops nothing.
-- From clusters.staging, by odoogen. A change here is lost: edit the spec, build, review, push.

SELECT 'CREATE DATABASE "staging17" OWNER "odoo-staging17" TEMPLATE template0 ENCODING ''UTF8'' LC_COLLATE ''C''' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'staging17') \gexec
ALTER DATABASE "staging17" OWNER TO "odoo-staging17";
REVOKE ALL ON DATABASE "staging17" FROM PUBLIC;
SELECT 'CREATE DATABASE "staging19" OWNER "odoo-staging19" TEMPLATE template0 ENCODING ''UTF8'' LC_COLLATE ''C''' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'staging19') \gexec
ALTER DATABASE "staging19" OWNER TO "odoo-staging19";
REVOKE ALL ON DATABASE "staging19" FROM PUBLIC;

\connect "staging17"
\ir extensions.sql

\connect "staging19"
\ir extensions.sql
