-- One login role and one schema per service, in the database this runs in. Run by a superuser, any number of times:
--   psql -v gateway_password=… -v tenant_admin_password=… -v ml_training_password=… -v ml_prediction_password=… -f roles.sql
-- Ownership of data (docs/architecture.md#services) is enforced here: no role has any right on another's schema.

\set ON_ERROR_STOP on
SET client_min_messages = warning;

-- Roles belong to the whole cluster: whoever else applies this file, in whichever of its databases, waits until this is done. The
-- mode keeps out itself only: tenants' roles are made and dropped meanwhile.
BEGIN;
LOCK TABLE pg_catalog.pg_authid IN SHARE UPDATE EXCLUSIVE MODE;

SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION', role)
FROM unnest(ARRAY['erm_gateway', 'erm_tenant_admin', 'erm_ml_training', 'erm_ml_prediction']) AS role
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role)
\gexec

ALTER ROLE erm_gateway LOGIN PASSWORD :'gateway_password';
ALTER ROLE erm_tenant_admin LOGIN PASSWORD :'tenant_admin_password';
ALTER ROLE erm_ml_training LOGIN PASSWORD :'ml_training_password';
ALTER ROLE erm_ml_prediction LOGIN PASSWORD :'ml_prediction_password';

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
-- so it gets three functions instead, which can touch tenants' roles only.
CREATE SCHEMA IF NOT EXISTS erm_provisioning;
REVOKE ALL ON SCHEMA erm_provisioning FROM PUBLIC;
GRANT USAGE ON SCHEMA erm_provisioning TO erm_tenant_admin;

-- Makes the NOLOGIN role tenant_<id without hyphens> and lets tenant-admin act as it; gives back its name. Not for a tenant that was
-- purged: with its heads forgotten, another audit log could be put in the place of its own.
CREATE OR REPLACE FUNCTION erm_provisioning.create_tenant_role(tenant_id uuid) RETURNS name
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    role_name name := 'tenant_' || replace(tenant_id::text, '-', '');
BEGIN
    IF erm_audit.is_forgotten(tenant_id) THEN
        RAISE EXCEPTION 'a tenant of this id was purged' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', role_name);
    EXECUTE format('GRANT %I TO erm_tenant_admin', role_name);
    RETURN role_name;
END
$$;

-- Drops a tenant's role, which must own nothing here any more. Roles are the cluster's: a copy of this database beside it has the same
-- tenants with the same roles. Then the role stays, and whoever purges the tenant last drops it.
CREATE OR REPLACE FUNCTION erm_provisioning.drop_tenant_role(tenant_id uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    role_name name := 'tenant_' || replace(tenant_id::text, '-', '');
BEGIN
    IF NOT erm_audit.is_elsewhere_only(role_name) THEN
        EXECUTE format('DROP ROLE %I', role_name);
    END IF;
END
$$;

-- Gives a ready-made schema, which belongs to the tenant's role already, the name it is to have.
CREATE OR REPLACE FUNCTION erm_provisioning.adopt_schema(tenant_id uuid, ready name, wanted name) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    schema_id oid;
BEGIN
    SELECT n.oid INTO STRICT schema_id FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner
    WHERE n.nspname = ready AND r.rolname = 'tenant_' || replace(tenant_id::text, '-', '');
    IF wanted NOT LIKE 'tenant\_%' OR wanted = 'tenant_template' THEN
        RAISE EXCEPTION '% is not the name of a tenant''s schema', wanted USING ERRCODE = 'invalid_schema_name';
    END IF;
    EXECUTE format('ALTER SCHEMA %I RENAME TO %I', ready, wanted);
    -- Functions name the schema in the search path that they run with. As ALTER FUNCTION would, which looks through all tenants' functions
    -- of the name: with 1,000 tenants 1.5 ms for each of some twenty.
    UPDATE pg_proc p SET proconfig = ARRAY(
        SELECT CASE WHEN setting LIKE 'search\_path=%' THEN 'search_path=' || quote_ident(wanted) ELSE setting END
        FROM unnest(p.proconfig) WITH ORDINALITY AS settings (setting, place) ORDER BY place)
    WHERE p.proconfig IS NOT NULL AND p.oid IN (
        SELECT objid FROM pg_depend
        WHERE refclassid = 'pg_namespace'::regclass AND refobjid = schema_id AND classid = 'pg_proc'::regclass);
END
$$;

REVOKE ALL ON FUNCTION erm_provisioning.create_tenant_role(uuid), erm_provisioning.drop_tenant_role(uuid),
    erm_provisioning.adopt_schema(uuid, name, name) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erm_provisioning.create_tenant_role(uuid), erm_provisioning.drop_tenant_role(uuid),
    erm_provisioning.adopt_schema(uuid, name, name) TO erm_tenant_admin;

-- Heads of the tenants' audit chains, signed by tenant-admin: a role of their own owns them, which nobody logs in as, so that
-- tenant-admin can add the next one and read them all, but neither change nor remove any.
SELECT 'CREATE ROLE erm_audit' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'erm_audit')
\gexec
ALTER ROLE erm_audit NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
CREATE SCHEMA IF NOT EXISTS erm_audit AUTHORIZATION erm_audit;
SET ROLE erm_audit;

CREATE TABLE IF NOT EXISTS erm_audit.heads (
    tenant_id uuid NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    -- SHA-256 of the chain up to and with that entry.
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    anchored_at timestamptz NOT NULL,
    -- Which key has signed, and the Ed25519 signature in base64url.
    key_id text NOT NULL,
    signature text NOT NULL,
    PRIMARY KEY (tenant_id, seq)
);

-- SHA-256 of the ids of purged tenants, whose heads are gone: not the ids, of which nothing is left anywhere.
CREATE TABLE IF NOT EXISTS erm_audit.forgotten (
    digest bytea PRIMARY KEY
);

CREATE OR REPLACE FUNCTION erm_audit.is_forgotten(asked uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM erm_audit.forgotten WHERE digest = sha256(uuid_send(asked)))
$$;

-- Whether a role has nothing in this database, and something in another of the cluster.
CREATE OR REPLACE FUNCTION erm_audit.is_elsewhere_only(role_name name) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(bool_and(b.datname <> current_database()), false)
    FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid JOIN pg_database b ON b.oid = d.dbid
    WHERE d.refclassid = 'pg_authid'::regclass AND r.rolname = role_name
$$;

-- Adds a head if it is later than all of that tenant, which must not have been forgotten.
CREATE OR REPLACE FUNCTION erm_audit.anchor(
    head_tenant uuid, head_seq bigint, head_hash bytea, head_anchored_at timestamptz, head_key_id text, head_signature text
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- Waits for a purge under way: a head that it does not see would be left behind.
    PERFORM pg_advisory_xact_lock(hashtextextended('erm audit heads ' || head_tenant::text, 0));
    IF erm_audit.is_forgotten(head_tenant) THEN
        RAISE EXCEPTION 'a tenant of this id was purged' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    INSERT INTO erm_audit.heads (tenant_id, seq, hash, anchored_at, key_id, signature)
    SELECT head_tenant, head_seq, head_hash, head_anchored_at, head_key_id, head_signature
    WHERE NOT EXISTS (SELECT FROM erm_audit.heads WHERE tenant_id = head_tenant AND seq >= head_seq)
    ON CONFLICT DO NOTHING;
    RETURN FOUND;
END
$$;

-- Forgets a tenant that is purged: only once nothing of it is left, its role included, unless a copy of this database beside it has the
-- role still. No tenant has that id ever again.
CREATE OR REPLACE FUNCTION erm_audit.forget(gone uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    role_name name := 'tenant_' || replace(gone::text, '-', '');
    removed bigint;
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) AND NOT erm_audit.is_elsewhere_only(role_name) THEN
        RAISE EXCEPTION 'the tenant still has its role' USING ERRCODE = 'object_in_use';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('erm audit heads ' || gone::text, 0));
    INSERT INTO erm_audit.forgotten (digest) VALUES (sha256(uuid_send(gone))) ON CONFLICT DO NOTHING;
    DELETE FROM erm_audit.heads WHERE tenant_id = gone;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;

REVOKE ALL ON FUNCTION erm_audit.anchor(uuid, bigint, bytea, timestamptz, text, text), erm_audit.forget(uuid),
    erm_audit.is_forgotten(uuid), erm_audit.is_elsewhere_only(name) FROM PUBLIC;
GRANT USAGE ON SCHEMA erm_audit TO erm_tenant_admin;
GRANT SELECT ON erm_audit.heads TO erm_tenant_admin;
GRANT EXECUTE ON FUNCTION erm_audit.anchor(uuid, bigint, bytea, timestamptz, text, text), erm_audit.forget(uuid),
    erm_audit.is_forgotten(uuid) TO erm_tenant_admin;
RESET ROLE;
COMMIT;
