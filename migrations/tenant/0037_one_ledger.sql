-- What a booking takes and how long it lasts is reckoned by the ledger (Shared/Ledger) and nowhere else.
DROP FUNCTION working_days(date, date);
DROP FUNCTION planned_last_day(date, date, double precision, double precision, double precision);
