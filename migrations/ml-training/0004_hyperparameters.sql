-- What a job was told about how to train; {} leaves everything to the trainer.
ALTER TABLE jobs ADD COLUMN hyperparameters jsonb NOT NULL DEFAULT '{}';
