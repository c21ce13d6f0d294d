-- Databases of cluster main. To be run again and again; drops nothing.
-- From clusters.main, by odoogen. A change here is lost: edit the spec, build, review, push.

SELECT 'CREATE DATABASE "ba17" OWNER "odoo-ba17" TEMPLATE template0 ENCODING ''UTF8'' LC_COLLATE ''C''' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'ba17') \gexec
ALTER DATABASE "ba17" OWNER TO "odoo-ba17";
REVOKE ALL ON DATABASE "ba17" FROM PUBLIC;
SELECT 'CREATE DATABASE "ba19" OWNER "odoo-ba19" TEMPLATE template0 ENCODING ''UTF8'' LC_COLLATE ''C''' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'ba19') \gexec
ALTER DATABASE "ba19" OWNER TO "odoo-ba19";
REVOKE ALL ON DATABASE "ba19" FROM PUBLIC;
SELECT 'CREATE DATABASE "qa17" OWNER "odoo-qa17" TEMPLATE template0 ENCODING ''UTF8'' LC_COLLATE ''C''' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'qa17') \gexec
ALTER DATABASE "qa17" OWNER TO "odoo-qa17";
REVOKE ALL ON DATABASE "qa17" FROM PUBLIC;
SELECT 'CREATE DATABASE "qa19" OWNER "odoo-qa19" TEMPLATE template0 ENCODING ''UTF8'' LC_COLLATE ''C''' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'qa19') \gexec
ALTER DATABASE "qa19" OWNER TO "odoo-qa19";
REVOKE ALL ON DATABASE "qa19" FROM PUBLIC;

\connect "ba17"
\ir extensions.sql

\connect "ba19"
\ir extensions.sql

\connect "qa17"
\ir extensions.sql

\connect "qa19"
\ir extensions.sql
