import Contracts
import Foundation
import Postgres
import ServiceStorage

extension HistoryTime {
    /// Of `people e`, as `time`.
    static let column: SQL = """
        jsonb_build_object('heldFrom', e.held_from,
            'spells', coalesce((SELECT jsonb_agg(jsonb_build_object('from', s.first_day, 'to', s.last_day)
                ORDER BY s.first_day NULLS FIRST) FROM employment_spells s WHERE s.employee_id = e.id), '[]'),
            'contracts', coalesce((SELECT jsonb_agg(jsonb_build_object('from', k.effective_from,
                'weekdayMinutes', to_jsonb(k.weekday_minutes), 'calendar', k.calendar_id)
                ORDER BY k.effective_from NULLS FIRST) FROM contracts k WHERE k.employee_id = e.id), '[]'),
            'leave', coalesce((SELECT jsonb_agg(jsonb_build_object('from', l.first_day, 'to', l.last_day,
                'minutesPerDay', l.minutes_per_day, 'isApproved', l.status = 'approved')
                ORDER BY l.first_day, l.id) FROM leave l WHERE l.employee_id = e.id), '[]')) AS time
        """
}

extension HistoryCalendar {
    /// Of `calendars c`.
    static let columns: SQL = """
        c.id, c.is_default, coalesce((SELECT jsonb_agg(jsonb_build_object('date', h.date, 'minutesOff', h.minutes_off)
            ORDER BY h.date) FROM holidays h WHERE h.calendar_id = c.id), '[]') AS holidays
        """

    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode("id"), isDefault: try row.decode("is_default"),
            holidays: try row.decode("holidays", as: PostgresJSON<[Holiday]>.self).value)
    }
}
