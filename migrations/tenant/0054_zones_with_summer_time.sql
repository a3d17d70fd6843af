-- `AT TIME ZONE` takes CET, EET, MET and WET for winter time all the year, before it looks for a zone of that name. As a setting they are zones with
-- summer time, and so the services take them: in summer an outcome stood on the day before the one that was imported. These are the zones
-- that the IANA database has made them names of.
CREATE OR REPLACE FUNCTION tenant_zone() RETURNS text LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    zone text;
BEGIN
    SELECT CASE value #>> '{}'
        WHEN 'CET' THEN 'Europe/Brussels' WHEN 'MET' THEN 'Europe/Brussels'
        WHEN 'EET' THEN 'Europe/Athens' WHEN 'WET' THEN 'Europe/Lisbon'
        ELSE value #>> '{}' END
    INTO zone FROM tenant_settings WHERE key = 'timezone';
    IF zone IS NULL OR zone = 'UTC' THEN
        RETURN 'UTC';
    END IF;
    PERFORM now() AT TIME ZONE zone;
    RETURN zone;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN 'UTC';
END
$$;
