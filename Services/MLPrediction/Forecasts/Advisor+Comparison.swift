import Contracts
import Forecasting
import Ledger

extension Advisor {
    /// Everybody who could do the work, beside the person asked about.
    struct Comparison: Sendable {
        let alternatives: [AlternativeOption]
        let standing: AlternativeOption
        /// How many were compared.
        let people: Int
        let selection: Selection
    }

    /// All are compared over the same window, that of the person asked about. The comparison includes every person who is present
    /// throughout and has every required skill, however many there are.
    /// - Parameter days: of the window.
    func compare(
        _ question: Question, _ skills: RequiredSkills, _ forecast: Forecast, _ time: FreeTime,
        _ days: inout PersonDays
    ) -> Comparison? {
        let table = knowledge.people
        guard question.alternatives > 0, let own = table.place(of: question.employee.id) else { return nil }
        let people = table.people
        let asked = people[own]
        let rows = table.rows(on: question.today)
        let required = RequiredSkills.OfPeople(skills, table, knowledge.bookings, on: question.first)
        // Both are read by plain pointers.
        defer { withExtendedLifetime((rows, required)) {} }
        let ignoresHold = question.day < question.today
        var possible: [Int] = []
        var inHistory: [HistoryPerson] = []
        var considered = [Int](repeating: 0, count: rows.departments.count)
        for place in people.indices where place != own {
            // Required is required: who lacks one of the skills is no alternative, however free.
            guard required.areHeld(at: place),
                rows.base[place].isAvailable(throughout: days.window, heedingHold: !ignoresHold)
                    ?? people[place].time.isAvailable(
                        throughout: days.window, decidedOn: question.day, today: question.today)
            else { continue }
            possible.append(place)
            inHistory.append(rows.inHistory[place])
            considered[Int(rows.base[place].department)] += 1
        }
        var selection = Selection(asked: asked.department)
        for (department, count) in zip(rows.departments, considered) where count > 0 {
            selection.consider(department, count)
        }
        let estimates = model.forecast.estimates(
            question.decision(for: asked.id), of: inHistory, history: knowledge.history)
        let isPlanned = question.plannedHours != nil
        var wide = PersonDays(FreeCalendar.window(around: question.today))
        var lacksCalendars = false
        var candidates: [AlternativeRanking.Candidate] = []
        candidates.reserveCapacity(possible.count + 1)
        for (place, estimate) in zip(possible, estimates) {
            let row = rows.base[place]
            if row.lacksCalendar(ignoringHold: ignoresHold) { lacksCalendars = true }
            let freePercent =
                row.freePercent(days.window, at: question.asOf, ignoringHold: ignoresHold)
                ?? knowledge.freePercent(
                    people[place], at: question.asOf, ignoringHold: ignoresHold, today: question.today, &wide,
                    into: &days)
            candidates.append(
                AlternativeRanking.Candidate(
                    employeeId: row.id, estimatedHours: estimate.hours,
                    successProbability: isPlanned ? estimate.successProbability : nil, availability: freePercent / 100,
                    skillFit: required.fit(at: place, moment: question.asOf)))
        }
        if lacksCalendars { table.kept.forgetRows() }
        candidates.append(
            AlternativeRanking.Candidate(
                employeeId: asked.id, estimatedHours: forecast.hours,
                successProbability: isPlanned ? forecast.successProbability : nil,
                availability: time.freePercent / 100,
                skillFit: required.fit(at: own, moment: question.asOf)))
        let ranking = AlternativeRanking.rank(candidates, count: question.alternatives, apart: candidates.count - 1)
        for ranked in ranking.best { selection.propose(people[possible[ranked.index]].department) }
        func option(_ ranked: AlternativeRanking.Ranked, _ person: KnownPerson) -> AlternativeOption {
            let candidate = candidates[ranked.index]
            return AlternativeOption(
                employeeId: person.id, name: person.name, estimatedHours: candidate.estimatedHours,
                successProbability: candidate.successProbability, availability: candidate.availability,
                skillMatch: skills.match(of: person, on: question.first), skillFit: candidate.skillFit,
                score: ranked.score, rank: ranked.rank)
        }
        return Comparison(
            alternatives: ranking.best.map { option($0, people[possible[$0.index]]) },
            standing: option(ranking.apart, asked), people: candidates.count, selection: selection)
    }
}
