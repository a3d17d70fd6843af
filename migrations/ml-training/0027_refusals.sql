-- In place of 8c3773fd004a48a945f3d2e35adf9e091e36df3b19d0d34d8afe24e542ff4667
-- What a model's gates have refused, the model itself or its chances of keeping a plan, and why: for lists, which have no room for all
-- of `metrics`. NULL for models of earlier releases, and for those that their nodes register from now on, until ml-training has read
-- their figures (FormerRefusals). The earlier text read those of all models here, while every reader of models waited.
ALTER TABLE models ADD COLUMN refusals jsonb;
