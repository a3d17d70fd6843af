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
        guard question.alternatives > 0, let asked = knowledge.people[question.employee.id] else { return nil }
        let people = knowledge.people.people
        var possible: [Int] = []
        var inHistory: [HistoryPerson] = []
        var selection = Selection(asked: asked.department)
        for place in people.indices where people[place].id != asked.id {
            // Required is required: who lacks one of the skills is no alternative, however free.
            guard skills.areHeld(by: people[place], on: question.first),
                people[place].time.isAvailable(
                    throughout: days.window, decidedOn: question.day, today: question.today)
            else { continue }
            possible.append(place)
            inHistory.append(people[place].inHistory)
            selection.consider(people[place].department)
        }
        let estimates = model.forecast.estimates(
            question.decision(for: asked.id), of: inHistory, history: knowledge.history)
        let isPlanned = question.plannedHours != nil
        // For each of thousands, no closure may take a copy of the knowledge with it.
        let bookings = knowledge.bookings
        var wide = PersonDays(FreeCalendar.window(around: question.today))
        var candidates: [AlternativeRanking.Candidate] = []
        candidates.reserveCapacity(possible.count + 1)
        for (place, estimate) in zip(possible, estimates) {
            let person = people[place]
            let freePercent = knowledge.freePercent(
                person, at: question.asOf, ignoringHold: question.day < question.today, today: question.today, &wide,
                into: &days)
            candidates.append(
                AlternativeRanking.Candidate(
                    employeeId: person.id, estimatedHours: estimate.hours,
                    successProbability: isPlanned ? estimate.successProbability : nil, availability: freePercent / 100,
                    skillFit: skills.fit(of: person, at: question.asOf, on: question.first, bookings)))
        }
        candidates.append(
            AlternativeRanking.Candidate(
                employeeId: asked.id, estimatedHours: forecast.hours,
                successProbability: isPlanned ? forecast.successProbability : nil,
                availability: time.freePercent / 100,
                skillFit: skills.fit(of: asked, at: question.asOf, on: question.first, bookings)))
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
