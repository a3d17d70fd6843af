-- ml-prediction remembers which models there are, not only which one is deployed: a new one is told, as one that changes is.
CREATE TRIGGER tell_registered AFTER INSERT ON models FOR EACH ROW EXECUTE FUNCTION tell_deployment();
