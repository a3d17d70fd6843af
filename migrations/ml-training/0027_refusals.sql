-- What a model's gates have refused, the model itself or its chances of keeping a plan, and why: for lists, which have no room for all
-- of `metrics`. NULL for models that nodes of the former release register from now on.
ALTER TABLE models ADD COLUMN refusals jsonb;

-- This runs for all tenants at once, past the policies that hold the owner of the table, too. The former release called its gate
-- `success` passed where it had refused chances, and said so in its explanation; where such a gate was not passed, an earlier one had
-- refused the model.
ALTER TABLE models NO FORCE ROW LEVEL SECURITY;
UPDATE models SET refusals = coalesce((
    SELECT jsonb_agg(jsonb_build_object(
        'refused', CASE WHEN (gate ->> 'passed')::boolean THEN 'chances' ELSE 'model' END,
        'reason', gate ->> 'explanation') ORDER BY place)
    FROM jsonb_array_elements(metrics -> 'gates') WITH ORDINALITY g (gate, place)
    WHERE NOT (gate ->> 'passed')::boolean
        OR gate ->> 'name' = 'success' AND gate ->> 'explanation' LIKE '%: such chances are not given.'), '[]')
WHERE jsonb_typeof(metrics -> 'gates') = 'array';
ALTER TABLE models FORCE ROW LEVEL SECURITY;
