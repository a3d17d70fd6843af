internal import NeuralNetwork

/// A few questions with the answers of the trainer's own process, kept behind the model in its artefact. A node that is to serve
/// the model answers them again; if any bit differs, the node would not give the forecasts that were validated.
///
/// Some questions are asked of a made-up history that is carried along, so that features, model and distribution are all computed
/// anew. The others are rows of features near those of real decisions, where models know most. No row is anybody's: each of its
/// numbers comes from another decision.
public struct ModelProbe: Sendable {
    struct Question: Sendable {
        let decision: Decision
        let figures: [Double]
    }

    struct Row: Sendable {
        let place: ForecastModel.Place
        let planned: Double
        let values: [Float]
        let figures: [Double]
    }

    /// Whether the answers were computed with fused multiply-adds; without, networks differ in the last places (`KernelLevel`).
    let isFused: Bool
    let allocations: [Allocation]
    let questions: [Question]
    let rows: [Row]

    /// Two answers by different arithmetic may differ by this share.
    private static let tolerance = 1e-4

    /// - Parameters:
    ///   - decisions: real ones, whose features the rows are made near; without any there are no rows.
    ///   - history: theirs.
    init(of model: ForecastModel, decisions: [Decision], history: History) {
        isFused = Self.isFusedHere
        let labels = model.unplanned.schema.labelKeys
        allocations = Self.madeUp(labels: labels)
        let known = History(allocations: allocations)
        let statesHoursPerDay = model.schemas.contains(where: \.usesHoursPerDay)
        questions = Self.decisions(labels: labels, statingHoursPerDay: statesHoursPerDay).map {
            Question(decision: $0, figures: model.figures(of: $0, history: known))
        }
        rows = Self.rows(of: model, decisions, history)
    }

    init(isFused: Bool, allocations: [Allocation], questions: [Question], rows: [Row]) {
        self.isFused = isFused
        self.allocations = allocations
        self.questions = questions
        self.rows = rows
    }

    /// What the model answers otherwise than its trainer did, in words; nil where all is the same to the bit.
    public func difference(from model: ForecastModel) -> String? {
        let known = History(allocations: allocations)
        for (number, question) in questions.enumerated() {
            guard isSame(question.figures, model.figures(of: question.decision, history: known)) else {
                return "it answers question \(number + 1) of its trainer otherwise than its trainer did"
            }
        }
        for (number, row) in rows.enumerated() {
            guard let variant = model.variant(at: row.place), variant.columns.count == row.values.count,
                isSame(row.figures, variant.figures(row.values, planned: row.planned))
            else { return "it answers row \(number + 1) of its trainer otherwise than its trainer did" }
        }
        return nil
    }

    private func isSame(_ said: [Double], _ found: [Double]) -> Bool {
        guard said.count == found.count else { return false }
        return zip(said, found).allSatisfy { said, found in
            said.bitPattern == found.bitPattern
                || isFused != Self.isFusedHere && abs(said - found) <= Self.tolerance * max(1, abs(said))
        }
    }

    private static var isFusedHere: Bool {
        #if arch(x86_64)
            KernelLevel.best > .baseline
        #else
            true
        #endif
    }
}

// MARK: - What is asked

extension ModelProbe {
    /// 2026-01-05, a Monday.
    private static let start = 1_767_571_200.0
    private static let day = 86_400.0

    /// Two people's tasks, some with a plan, some without, some unfinished.
    private static func madeUp(labels: [String]) -> [Allocation] {
        (0..<24).map { index in
            let decided = start + Double(index) * 3 * day
            let planned = index % 6 == 5 ? 0 : Double(2 + index % 7 * 5)
            return Allocation(
                id: "\(index)", employee: index % 3 == 0 ? "other" : "known", project: "project-\(index % 2)",
                skills: index % 4 == 0 ? ["one", "two"] : ["one"], labels: values(labels, index % 2),
                plannedHours: planned,
                allocationPercent: index % 5 == 0 ? nil : Double(20 + index % 4 * 20),
                actualHours: index > 21 ? nil : Double(3 + index % 8 * 4), start: decided,
                plannedEnd: decided + Double(2 + index % 5) * day, decidedAt: decided - day,
                completedAt: index > 21 ? nil : decided + Double(3 + index % 6) * day,
                title: "task \(index % 4) of this kind")
        }
    }

    /// Of people known and unknown, with a plan and without, with every detail and with none.
    /// - Parameter statingHoursPerDay: whether the details are also asked with hours per day instead of a percentage.
    private static func decisions(labels: [String], statingHoursPerDay: Bool) -> [Decision] {
        let asked = start + 90 * day
        return ["known", "unknown"].flatMap { person in
            ([nil, 8] as [Double?]).flatMap { planned in
                let detailed = Decision(
                    employee: person, project: "project-1", skills: ["one", "two"], labels: values(labels, 1),
                    plannedHours: planned.map { 3 * $0 }, allocationPercent: 40, start: asked + day,
                    end: asked + 9 * day, at: asked, title: "task 1 of this kind")
                var daily = detailed
                (daily.allocationPercent, daily.hoursPerDay) = (nil, 5)
                return [
                    Decision(employee: person, project: "project-0", skills: ["one"], plannedHours: planned, at: asked),
                    detailed,
                ] + (statingHoursPerDay ? [daily] : [])
            }
        }
    }

    private static func values(_ labels: [String], _ number: Int) -> [String: String] {
        Dictionary(uniqueKeysWithValues: labels.map { ($0, "value \(number)") })
    }

    private static let mostDecisions = 64
    /// With fewer decisions a row would be close to one person's.
    private static let leastDecisions = 16
    private static let rowsOfPlace = 3

    /// Numbers of one column come from decisions of the same kind of question, each column's from another decision.
    private static func rows(of model: ForecastModel, _ decisions: [Decision], _ history: History) -> [Row] {
        let step = max(1, decisions.count / mostDecisions)
        let asked = stride(from: 0, to: decisions.count, by: step).flatMap { place in
            [decisions[place], decisions[place].withoutPlan]
        }
        var matrices: [ForecastModel.Place: [(planned: Double, values: [Float])]] = [:]
        for decision in asked {
            let decision = model.usable(decision)
            let (_, values) = model.features(of: decision, history: history)
            matrices[model.placedVariant(for: decision).place, default: []].append((decision.plannedHours ?? 0, values))
        }
        return ForecastModel.Place.allCases.flatMap { place -> [Row] in
            guard let known = matrices[place], known.count >= leastDecisions, let variant = model.variant(at: place)
            else {
                return []
            }
            return (0..<rowsOfPlace).map { number in
                let values = (0..<variant.columns.count).map { column in
                    known[(number * 17 + column * 7 + 1) % known.count].values[column]
                }
                let planned = known[number * known.count / rowsOfPlace].planned
                return Row(
                    place: place, planned: planned, values: values, figures: variant.figures(values, planned: planned))
            }
        }
    }
}

extension ForecastModel {
    func variant(at place: Place) -> VariantModel? {
        switch place {
        case .planned: planned
        case .unplanned: unplanned
        case .plannedWithoutDetails: plannedWithoutDetails
        case .unplannedWithoutDetails: unplannedWithoutDetails
        }
    }

    /// Everything that an answer says in numbers but its reasons, whose words and order may change between releases.
    fileprivate func figures(of decision: Decision, history: History) -> [Double] {
        let forecast = forecast(decision, history: history, explaining: false)
        return [forecast.hours, forecast.successProbability ?? -1, forecast.confidence]
            + forecast.intervals.flatMap { [$0.low, $0.high] }
    }
}

extension VariantModel {
    fileprivate func figures(_ values: [Float], planned: Double) -> [Double] {
        let answer = values.withUnsafeBufferPointer { self.answer($0) }
        let said = answer.distribution
        return [hours(said.median, planned: planned), answer.success ?? -1, said.near]
            + said.ranges.flatMap { [hours($0.low, planned: planned), hours($0.high, planned: planned)] }
    }
}

extension TrainingOutcome {
    /// The model as it is stored, with what this process answers.
    /// - Parameter history: what the model was trained on.
    public func probedModel(_ history: History) -> ForecastModel {
        var model = model
        model.probe = ModelProbe(of: model, decisions: judged.map(\.decision), history: history)
        return model
    }
}
