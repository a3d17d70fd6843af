-- A deleted person's lines are taken out of datasets: what is left has another digest and other counts. Nothing else changes a dataset.
-- How many people that were; NULL for none.
ALTER TABLE training_datasets ADD COLUMN forgotten_people integer;
DROP TRIGGER immutable ON training_datasets;
CREATE TRIGGER immutable BEFORE UPDATE ON training_datasets FOR EACH ROW
    WHEN (current_setting('erm.forgets_person', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION refuse_update();
