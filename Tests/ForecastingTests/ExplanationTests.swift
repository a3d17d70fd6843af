import Foundation
import Testing

@testable import Forecasting

/// The sentences of explanations state the record, and their effects lead to the answer.
@Suite struct ExplanationTests {
    private static let start = 1_767_571_200.0
    private static let day = 86_400.0
    private static let asked = start + 400 * day

    /// Tasks of one person that take so many times their plan of ten hours; without a plan, so many times ten hours.
    private static func tasks(
        of person: String, _ ratios: [Double], skills: [String] = ["swift"], planned: Double = 10,
        project: String = "p1", labels: [String: String] = [:], title: String? = nil
    ) -> [Allocation] {
        ratios.enumerated().map { index, ratio in
            let decided = start + Double(index) * 3 * day
            return Allocation(
                id: "\(person)-\(skills)-\(project)-\(planned)-\(title ?? "")-\(index)", employee: person,
                project: project, skills: skills, labels: labels, plannedHours: planned, actualHours: 10 * ratio,
                start: decided, decidedAt: decided, completedAt: decided + 2 * day, title: title)
        }
    }

    private func sentence(
        _ cause: Cause, _ allocations: [Allocation], planned: Double? = 10, person: String = "ada",
        labels: [String: String] = [:], title: String? = nil, schema: FeatureSchema? = nil
    ) -> String {
        let schema = schema ?? FeatureSchema(withPlan: planned != nil)
        let decision = Decision(
            employee: person, project: "p1", skills: ["swift"], labels: labels, plannedHours: planned,
            start: Self.asked, at: Self.asked, title: title)
        return FeatureBuilder(schema: schema, history: History(allocations: allocations)).explainedValues(decision)
            .evidence.sentence(of: cause, success: nil)
    }

    private static let others = tasks(of: "bob", [Double](repeating: 1, count: 30), skills: ["sql"], project: "p2")

    @Test("a sentence states how many tasks of this kind a person has finished, and what is usual against the plan")
    func usual() {
        let own = Self.tasks(of: "ada", [1.18, 0.9, 1.5, 1.18, 1.18, 1.1, 1.3, 1.18, 2.5, 1.0, 1.18, 1.18, 1.4, 1.1])
        #expect(
            sentence(.personSkill, own + Self.others)
                == "This person has finished 14 tasks of this kind, usually 18 % over plan (all tasks: as planned).")
        #expect(
            sentence(.all, own + Self.others)
                == "Everyone together has finished 44 tasks, usually as planned (31 within 1 %).")
        let quick = Self.tasks(of: "ada", [0.5, 0.6, 0.7, 0.8, 0.9])
        #expect(
            sentence(.person, quick) == "This person has finished 5 tasks, usually 30 % under plan.",
            "nothing to compare with but the same tasks")
    }

    @Test("few tasks are said to be few, and one to be one")
    func few() {
        #expect(
            sentence(.personSkill, Self.tasks(of: "ada", [1, 1.25, 3]) + Self.others)
                == "This person has finished only 3 tasks of this kind, with a median of 25 % over plan (all tasks: as "
                + "planned).")
        #expect(
            sentence(.personSkill, Self.tasks(of: "ada", [2.4]) + Self.others)
                == "This person has finished only 1 task of this kind, 2.4 times the plan (all tasks: as planned).")
        #expect(
            sentence(.personSkill, Self.tasks(of: "ada", [1, 1]))
                == "This person has finished only 2 tasks of this kind, with a median of the plan.")
    }

    @Test("of many tasks the latest 63 say what is usual, and of tasks without a plan nothing against plans is said")
    func window() {
        let changed = [Double](repeating: 3, count: 40) + [Double](repeating: 1.5, count: 70)
        #expect(
            sentence(.personSkill, Self.tasks(of: "ada", changed))
                == "This person has finished 110 tasks of this kind, the latest 63 usually 50 % over plan.")
        // Kept plans are counted among all: more than the latest 63 may be.
        let kept = [Double](repeating: 1, count: 90) + [Double](repeating: 2, count: 20)
        #expect(
            sentence(.personSkill, Self.tasks(of: "ada", kept))
                == "This person has finished 110 tasks of this kind, the latest 63 usually as planned (90 of all 110 within 1 "
                + "%).")
        // A project keeps no medians: the same rule, counted when it is asked.
        #expect(
            sentence(.project, Self.tasks(of: "ada", changed) + Self.others)
                == "Everyone together has finished 110 tasks on this project, the latest 63 usually 50 % over plan (all tasks: "
                + "50 % over plan).")
        let unplanned = Self.tasks(of: "ada", [1, 2, 3, 4, 5], planned: 0)
        #expect(
            sentence(.personProject, unplanned + Self.tasks(of: "ada", [1.2, 1.3]))
                == "This person has finished 7 tasks on this project, only 2 with a plan, with a median of 25 % over plan."
        )
        #expect(
            sentence(.person, unplanned + Self.others)
                == "This person has finished 5 tasks, none with a plan (all tasks: as planned).")
        #expect(
            sentence(
                .personSkill, unplanned + Self.tasks(of: "bob", [0.05, 0.05, 0.05, 0.05, 0.05, 0.05]), planned: nil)
                == "This person has finished 5 tasks of this kind, usually in 30 hours (all tasks: 0.5 hours).")
    }

    @Test("of a person or kind that is new, the sentence says so and what is known of others")
    func unknown() {
        let known = Self.tasks(of: "bob", [1.2, 1.2, 1.2, 1.2, 1.2]) + Self.others
        #expect(
            sentence(.personSkill, known, person: "nobody")
                == "No finished task by this person is known yet. Everyone together has finished 5 tasks of this kind, usually "
                + "20 % over plan (all tasks: as planned).")
        #expect(
            sentence(.personSkill, Self.tasks(of: "ada", [1.5], skills: ["go"]) + Self.others)
                == "No finished task of this kind by this person is known yet, but only 1 other task, 50 % over plan (all tasks: "
                + "as planned).")
        #expect(sentence(.person, []) == "No finished task by this person is known yet. No finished task is known yet.")
        #expect(sentence(.skill, Self.others) == "No finished task of this kind is known yet (all tasks: as planned).")
    }

    @Test("how far off the latest estimates were is said of so many tasks, and of a plan only where plans count")
    func latestErrors() {
        func said(_ errors: [Double], planned: Double? = 10) -> String {
            let outcomes = errors.enumerated().map { LatestErrors.Outcome(place: $0, error: $1) }
            let latest = LatestErrors(
                moments: errors.map { _ in Self.asked - Self.day }, outcomes: ["ada": outcomes])
            let schema = FeatureSchema(withPlan: planned != nil)
            let decision = Decision(
                employee: "ada", project: "p1", skills: ["swift"], plannedHours: planned, start: Self.asked,
                at: Self.asked)
            return FeatureBuilder(schema: schema, history: History(allocations: Self.others)).explainedValues(decision)
                .evidence.sentence(
                    of: .latestErrors, success: nil, errors: latest.errors(of: "ada", at: Self.asked))
        }
        let end = "that the model had not learned from, on the whole"
        #expect(
            said([Double](repeating: log(1.2), count: 12))
                == "Lately this person has finished 12 tasks with a plan \(end) 20 % over the estimate.")
        #expect(
            said([log(0.7)], planned: nil)
                == "Lately this person has finished only 1 task \(end) 30 % under the estimate.")
        #expect(
            said([0.3, -0.3, 0, 0, 0.001])
                == "Lately this person has finished 5 tasks with a plan \(end) as estimated.")
        // No more than twice the estimate is believed of any task.
        #expect(
            said([5, 5])
                == "Lately this person has finished only 2 tasks with a plan \(end) 2 times the estimate.")
    }

    @Test("labels, titles, sizes and the question itself are said in words")
    func question() {
        let schema = FeatureSchema(withPlan: true, labelKeys: ["team", "team.size"], usesTitles: true)
        let history =
            Self.tasks(of: "ada", [1.4, 1.4, 1.4, 1.4, 1.4], labels: ["team": "red"], title: "Rewrite login")
            + Self.tasks(of: "bob", [1, 1, 1, 1, 1, 1, 1], labels: ["team": "blue"], title: "Mend login")
        func said(
            _ cause: Cause, labels: [String: String] = ["team": "red"], title: String? = "Rewrite all, #12"
        ) -> String {
            sentence(cause, history, labels: labels, title: title, schema: schema)
        }
        #expect(
            said(.label(0))
                == "Everyone together has finished 5 tasks with the same “team”, usually 40 % over plan (all tasks: as "
                + "planned).")
        #expect(said(.personLabel(0), labels: [:]) == "The question says nothing of “team”.")
        #expect(
            said(.titleWords)
                == "Of 2 words of this title, finished tasks have 1: everyone together has finished 5 tasks with “rewrite”, "
                + "usually 40 % over plan (all tasks: as planned).")
        #expect(said(.titleWords, title: nil) == "The question names no title.")
        #expect(said(.title) == "No finished task with this very title is known yet (all tasks: as planned).")
        #expect(
            said(.size)
                == "The plan is 10 hours, a whole number of hours, but not of days. Everyone together has finished 12 tasks of "
                + "about this size, usually as planned (7 within 1 %).")
        // 2027-02-09
        #expect(said(.calendar) == "The decision falls on a Tuesday in February (UTC).")
        #expect(said(.dates) == "The work begins on the day of the decision.")
        #expect(said(.percentage) == "No percentage is named, which counts as all of this person's time.")
        #expect(said(.skillCount) == "The work requires 1 skill.")
        #expect(said(.projectProgress) == "The project has 12 tasks, 12 of them finished.")
        #expect(said(.personOpenTasks) == "This person has no unfinished task and was given none in the past week.")
        #expect(said(.personTenure) == "This person was given the first task 13 months ago.")
        #expect(
            said(.personLatest)
                == "This person finished the latest task 12 months ago, the latest of this kind 12 months ago.")
    }

    @Test("an end without a start is said from the decision on")
    func endAlone() {
        func said(start: Double?, end: Double) -> String {
            let decision = Decision(
                employee: "ada", project: "p1", plannedHours: 10, start: start, end: end, at: Self.asked)
            return FeatureBuilder(schema: FeatureSchema(withPlan: true), history: History()).explainedValues(decision)
                .evidence.sentence(of: .dates, success: nil)
        }
        let (start, end) = (Self.asked + Self.day, Self.asked + 4 * Self.day)
        #expect(said(start: nil, end: end) == "The work ends 4 days after the decision.")
        #expect(said(start: nil, end: Self.asked) == "The work ends on the day of the decision.")
        #expect(said(start: start, end: end) == "The work begins 1 day after the decision and ends 3 days later.")
    }

    @Test("figures are said as a planner says them")
    func figures() {
        #expect(PlainFigures.hours(0.02) == "less than 0.1 hours" && PlainFigures.hours(1.04) == "1 hour")
        #expect(PlainFigures.hours(9.96) == "10 hours" && PlainFigures.hours(37.25, digits: 2) == "37.25 hours")
        let against = [0.0001, 1.001, 1.99, 1.999, 20].map { PlainFigures.againstPlan(log($0)) }
        #expect(
            against == ["99 % under plan", "as planned", "99 % over plan", "2 times the plan", "20 times the plan"])
        // Of a plan of next to nothing.
        #expect(PlainFigures.againstPlan(700) == "1000000000 times the plan")
        #expect(PlainFigures.percent(0.4999) == "49 %" && PlainFigures.percent(0.29) == "29 %")
        #expect(PlainFigures.percent(0.001) == "less than 1 %")
        #expect(PlainFigures.duration(days: 1) == "1 day" && PlainFigures.duration(days: 59) == "59 days")
        #expect(PlainFigures.duration(days: 61) == "2 months" && PlainFigures.duration(days: 800) == "2 years")
        #expect(PlainFigures.duration(days: 60) == "60 days" && PlainFigures.duration(days: 730) == "23 months")
        for days in 0...4_000 {
            let words = PlainFigures.duration(days: days).split(separator: " ")
            #expect((words[0] == "1") != words[1].hasSuffix("s"), "\(days)")
        }
        #expect(PlainFigures.ago(3_600) == "less than a day ago")
    }

    @Test("the counts of sentences are those of the features, and what is usual is the median of the allocations")
    func sameRecord() {
        let allocations = Company(noise: 0.5).allocations(300)
        let history = History(allocations: allocations)
        for withPlan in [true, false] {
            let schema = FeatureSchema(withPlan: withPlan, labelKeys: ["team"])
            let builder = FeatureBuilder(schema: schema, history: history)
            let places = Dictionary(uniqueKeysWithValues: schema.features.enumerated().map { ($1.name, $0) })
            for index in stride(from: 0, to: 300, by: 17) {
                let decision = withPlan ? Decision(allocations[index]) : Decision(allocations[index]).withoutPlan
                let (values, evidence) = builder.explainedValues(decision)
                #expect(values.map(\.bitPattern) == builder.values(decision).map(\.bitPattern))
                var groups: [(Cause, String, (Allocation) -> Bool)] = [
                    (.person, "person", { $0.employee == decision.employee }),
                    (.skill, "skill", { Set($0.skills) == Set(decision.skills) }),
                    (
                        .personSkill, "personSkill",
                        { $0.employee == decision.employee && Set($0.skills) == Set(decision.skills) }
                    ),
                    (.project, "project", { $0.project == decision.project }),
                    (
                        .personProject, "personProject",
                        { $0.employee == decision.employee && $0.project == decision.project }
                    ),
                    (.label(0), "label.team", { $0.labels["team"] == decision.labels["team"] }),
                ]
                if withPlan { groups.append((.size, "size", { $0.plannedHours == decision.plannedHours })) }
                for (cause, name, isMember) in groups {
                    let known = allocations.filter { ($0.completedAt ?? .infinity) < decision.at && isMember($0) }
                        .sorted { ($0.completedAt ?? 0, $0.decidedAt) < ($1.completedAt ?? 0, $1.decidedAt) }
                    let record = evidence[cause]
                    #expect(record.finished == known.count, "\(cause)")
                    #expect(places["\(name).count"].map { values[$0] } == Float(log1p(Double(known.count))))
                    var targets = known.suffix(GroupSeries.medianWindow).map {
                        log(($0.actualHours ?? 0) / (withPlan ? $0.plannedHours : 1))
                    }
                    #expect(record.counted == targets.count && (record.usual == nil) == targets.isEmpty)
                    if let usual = record.usual { #expect(abs(usual - medianInPlace(&targets)) < 1e-9, "\(cause)") }
                }
            }
        }
    }

    /// Of every answer: effects lead from base to estimate, sentences are sentences, and the answer that is the plan has none.
    private func check(_ answer: Forecast, planned: Double?) {
        let product = answer.explanation.reduce(answer.explanationBase) { $0 * $1.factor }
        #expect(abs(log(product / answer.hours)) < 1e-6)
        #expect(Set(answer.explanation.map(\.feature)).count == answer.explanation.count)
        if answer.hours == planned { #expect(answer.explanation.isEmpty) }
        for effect in answer.explanation {
            #expect(effect.text.hasSuffix(".") && effect.text.first?.isUppercase == true, "\(effect.text)")
            for word in ["log", "ratio", "nan", "shrunk", "feature", ".mean", "latest20", "  "] {
                #expect(!effect.text.contains(word), "\(effect.text)")
            }
        }
    }

    @Test("effects of a trained model multiply to the estimate, the same however history was put together")
    func trained() throws {
        let count = 200
        let company = Company(noise: 0.3)
        let history = company.history(count)
        let model = try TrainingRun(
            history: history,
            configuration: TrainingConfiguration(
                months: 12, epochs: 2, seed: 1, asOf: Company.end(count), maximumTrees: 20, searchSeconds: 0)
        ).run().model
        var shuffled = company.history(0)
        shuffled.apply(company.allocations(count).reversed().map { HistoryChange.allocation($0) })
        var moved = 0
        for given in history.allocations.suffix(40) {
            for plan in [given.plannedHours, nil] {
                for person in [given.employee, "nobody"] {
                    var decision = Decision(given)
                    decision.plannedHours = plan
                    decision.employee = person
                    let answer = model.forecast(decision, history: history)
                    check(answer, planned: plan)
                    #expect(model.forecast(decision, history: history) == answer)
                    let (same, schema, features) = model.forecastWithFeatures(decision, history: history)
                    let known = model.features(of: decision, history: history)
                    #expect(same == answer && schema == known.schema)
                    #expect(features.map(\.bitPattern) == known.values.map(\.bitPattern))
                    #expect(model.forecast(decision, history: shuffled) == answer)
                    guard !answer.explanation.isEmpty else { continue }
                    moved += 1
                    let isNew = person == "nobody"
                    let unknown = "No finished task by this person is known yet."
                    #expect(answer.explanation.contains { $0.text.hasPrefix(unknown) } == isNew)
                }
            }
        }
        #expect(moved > 50)
    }

    @Test("the baseline's answer is divided into everybody, the kind of work, the person, and the person with the kind")
    func baseline() {
        let history =
            Self.tasks(of: "ada", [Double](repeating: 2, count: 20))
            + Self.tasks(of: "bob", [Double](repeating: 1.2, count: 50), skills: ["sql"])
        func ask(_ person: String, _ history: [Allocation], planned: Double? = 10) -> Forecast {
            let answer = ForecastModel.baseline.forecast(
                Decision(employee: person, project: "p1", skills: ["swift"], plannedHours: planned, at: Self.asked),
                history: History(allocations: history))
            check(answer, planned: planned)
            return answer
        }
        let own = ask("ada", history)
        #expect(
            own.explanation.first { $0.feature == "all tasks" }?.text
                == "Everyone together has finished 70 tasks, the latest 63 usually 20 % over plan.")
        #expect(own.explanation.contains { $0.feature == "this person's tasks" && $0.factor > 1.2 })
        #expect(own.explanation.contains { $0.feature == "tasks of this kind" })
        // Nothing moves the answer because of the person, and that is said.
        let new = ask("nobody", history)
        let ofPerson = new.explanation.first { $0.feature == "this person's tasks" }
        #expect(ofPerson.map { abs($0.factor - 1) < 1e-6 } == true)
        #expect(
            ofPerson?.text
                == "No finished task by this person is known yet. Everyone together has finished 20 tasks of this kind, usually "
                + "2 times the plan (all tasks: 20 % over plan).")
        #expect(ask("nobody", []).explanation.isEmpty)
        #expect(!ask("ada", history, planned: nil).explanation.isEmpty)
    }

    @Test("every feature has a cause, and no two causes have one name")
    func causes() {
        let schema = FeatureSchema(
            withPlan: false, labelKeys: ["a", "a.mean", "number"], usesTitles: true, usesEffort: true)
        let causes = zip(schema.features.map(\.name), schema.causes)
        for (name, cause) in causes where name.hasPrefix("label.a.mean.") { #expect(cause == .label(1), "\(name)") }
        #expect(causes.contains { $0.0 == "label.a.mean" && $0.1 == .label(0) })
        #expect(causes.contains { $0.0 == "own.number.age" && $0.1 == .personLatest })
        let all = Set(
            schema.causes + FeatureSchema(withPlan: true).causes + [.network, .latestErrors, .keptPlans, .rest])
        #expect(Set(all.map(schema.name)).count == all.count)
    }
}
