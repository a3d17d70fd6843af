-- The label keys that have features of their own, so that a dataset names all its features. Datasets from before have none on record.
ALTER TABLE training_datasets ADD COLUMN label_keys text[];
