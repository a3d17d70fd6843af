-- One login role and one schema per service, in the database this runs in. Run by a superuser, any number of times:
--   psql -v gateway_password=… -v tenant_admin_password=… -v ml_training_password=… -v ml_prediction_password=… -f roles.sql
-- Ownership of data (DESIGN §1) is enforced here: no role has any right on another's schema.

\set ON_ERROR_STOP on
SET client_min_messages = warning;

SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION', role)
FROM unnest(ARRAY['erm_gateway', 'erm_tenant_admin', 'erm_ml_training', 'erm_ml_prediction']) AS role
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role)
\gexec

ALTER ROLE erm_gateway PASSWORD :'gateway_password';
ALTER ROLE erm_tenant_admin PASSWORD :'tenant_admin_password';
ALTER ROLE erm_ml_training PASSWORD :'ml_training_password';
ALTER ROLE erm_ml_prediction PASSWORD :'ml_prediction_password';

-- tenant-admin is a member of every tenant's role but inherits nothing: without SET ROLE it reaches no tenant's rows.
ALTER ROLE erm_tenant_admin NOINHERIT;

SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database())
UNION ALL
SELECT format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO %I', current_database(), role)
FROM unnest(ARRAY['erm_gateway', 'erm_tenant_admin', 'erm_ml_training', 'erm_ml_prediction']) AS role
UNION ALL
SELECT format('GRANT CREATE ON DATABASE %I TO erm_tenant_admin', current_database())
\gexec

REVOKE ALL ON SCHEMA public FROM PUBLIC;

CREATE SCHEMA IF NOT EXISTS gateway AUTHORIZATION erm_gateway;
CREATE SCHEMA IF NOT EXISTS tenant_admin AUTHORIZATION erm_tenant_admin;
CREATE SCHEMA IF NOT EXISTS ml_training AUTHORIZATION erm_ml_training;
CREATE SCHEMA IF NOT EXISTS ml_prediction AUTHORIZATION erm_ml_prediction;

-- tenant-admin makes a role for every tenant. CREATEROLE would let it grant itself any other role (before Postgres 16),
-- so it gets two functions instead, which can touch tenants' roles only.
CREATE SCHEMA IF NOT EXISTS erm_provisioning;
REVOKE ALL ON SCHEMA erm_provisioning FROM PUBLIC;
GRANT USAGE ON SCHEMA erm_provisioning TO erm_tenant_admin;

-- Makes the NOLOGIN role tenant_<id without hyphens> and lets tenant-admin act as it; gives back its name.
CREATE OR REPLACE FUNCTION erm_provisioning.create_tenant_role(tenant_id uuid) RETURNS name
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    role_name name := 'tenant_' || replace(tenant_id::text, '-', '');
BEGIN
    EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', role_name);
    EXECUTE format('GRANT %I TO erm_tenant_admin', role_name);
    RETURN role_name;
END
$$;

-- Drops a tenant's role, which must own nothing any more.
CREATE OR REPLACE FUNCTION erm_provisioning.drop_tenant_role(tenant_id uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('DROP ROLE %I', 'tenant_' || replace(tenant_id::text, '-', ''));
END
$$;

REVOKE ALL ON FUNCTION erm_provisioning.create_tenant_role(uuid), erm_provisioning.drop_tenant_role(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erm_provisioning.create_tenant_role(uuid), erm_provisioning.drop_tenant_role(uuid)
    TO erm_tenant_admin;
