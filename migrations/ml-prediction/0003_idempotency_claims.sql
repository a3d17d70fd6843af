-- Answers of many requests are written in one transaction without waiting for each other's results: a request's predictions
-- are stored only where the key's row says that this request has taken it.
ALTER TABLE idempotency_keys ADD COLUMN claim uuid;
