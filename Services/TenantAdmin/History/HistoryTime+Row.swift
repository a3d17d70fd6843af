import Contracts
import Foundation
import Postgres
import ServiceStorage

extension HistoryTime {
    /// Of `people e`, as `time`.
    static let column: SQL = """
        jsonb_build_object('heldFrom', e.held_from,
            'spells', coalesce((select jsonb_agg(jsonb_build_object('from', s.first_day, 'to', s.last_day)
                order by s.first_day nulls first) from employment_spells s where s.employee_id = e.id), '[]'),
            'contracts', coalesce((select jsonb_agg(jsonb_build_object('from', k.effective_from,
                'weekdayMinutes', to_jsonb(k.weekday_minutes), 'calendar', k.calendar_id)
                order by k.effective_from nulls first) from contracts k where k.employee_id = e.id), '[]'),
            'leave', coalesce((select jsonb_agg(jsonb_build_object('from', l.first_day, 'to', l.last_day,
                'minutesPerDay', l.minutes_per_day, 'isApproved', l.status = 'approved')
                order by l.first_day, l.id) from leave l where l.employee_id = e.id), '[]')) as time
        """
}

extension HistoryCalendar {
    /// Of `calendars c`.
    static let columns: SQL = """
        c.id, c.is_default, coalesce((select jsonb_agg(jsonb_build_object('date', h.date, 'minutesOff', h.minutes_off)
            order by h.date) from holidays h where h.calendar_id = c.id), '[]') as holidays
        """

    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode("id"), isDefault: try row.decode("is_default"),
            holidays: try row.decode("holidays", as: PostgresJSON<[Holiday]>.self).value)
    }
}
