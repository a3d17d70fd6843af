import Basics
import Foundation
import Testing

@testable import Forecasting

/// Asking about many people at once.
@Suite struct PeopleTests {
    private static let company = Company(people: 37, projects: 3)
    private static let rows = 700
    private static let history = company.history(rows)
    private static let model = Task { () throws -> ForecastModel in
        let configuration = TrainingConfiguration(
            months: 2_400, epochs: 10, seed: 5, asOf: Company.end(rows), maximumTrees: 40)
        return try TrainingRun(history: history, configuration: configuration).run().model
    }

    /// Of three in four people, some of them large; before and after the questions' moments.
    private static let errors = LatestErrors(
        moments: (0..<80).map { 900_000_100 + Double($0) * 2_000_000 },
        outcomes: Dictionary(
            grouping: (0..<80).filter { $0 % 4 != 3 }.map {
                (person: "e\($0 % 41)", LatestErrors.Outcome(place: $0, error: Double($0 % 9) / 4 - 1))
            }, by: \.person
        ).mapValues { $0.map(\.1) })

    /// The model with another of its candidates answering, and moved by errors.
    /// - Parameter calibration: of its classifiers of success.
    private func models(_ calibration: EventCalibration) async throws -> [ForecastModel] {
        let trained = try await Self.model.value
        func variant(_ variant: VariantModel?, _ winner: Int) -> VariantModel? {
            guard var variant else { return nil }
            variant.winner = min(winner, variant.candidates.count - 1)
            // A classifier with both its parts, whatever was found worth having.
            variant.success?.calibration = calibration
            variant.latestErrors = Self.errors
            return variant
        }
        let count = max(trained.planned?.candidates.count ?? 0, trained.unplanned.candidates.count)
        return (0..<count).map { winner in
            ForecastModel(
                seed: 1, learnedUntil: trained.learnedUntil, trainedRows: trained.trainedRows,
                planned: variant(trained.planned, winner),
                unplanned: variant(trained.unplanned, winner) ?? trained.unplanned,
                plannedWithoutDetails: variant(trained.plannedWithoutDetails, winner),
                unplannedWithoutDetails: variant(trained.unplannedWithoutDetails, winner))
        }
    }

    private func questions() -> [Decision] {
        let late = Company.end(Self.rows)
        var questions: [Decision] = []
        for at in [late, late - 86_400 * 200, 900_000_000] {
            for planned in [nil, 7.0, 0.6] {
                for (skills, labels) in [
                    (["swift"], [:]), (["sql", "swift"], ["priority": "1", "team": "t1"]),
                    (["cobol"], ["priority": "9", "mood": "3"]),
                ] {
                    questions.append(
                        Decision(
                            employee: "e1", project: questions.count % 4 == 3 ? "nowhere" : "p1", skills: skills,
                            labels: labels, plannedHours: planned, allocationPercent: 50, start: at + 86_400,
                            end: at + 10 * 86_400, at: at))
                }
            }
        }
        return questions
    }

    @Test(
        "many people asked about at once are answered to the bit as each alone, by every candidate",
        arguments: [
            EventCalibration(baseRate: 0.6, trust: 0.9),
            // Base rates: said of nobody, and of everybody, below and above one half.
            EventCalibration(baseRate: 0.44, trust: 0), EventCalibration(baseRate: 0.3, trust: 0),
            EventCalibration(baseRate: 0.7, trust: 0),
        ])
    func sameBits(calibration: EventCalibration) async throws {
        var history = Self.history
        // Somebody with a record and no work, somebody with another capacity, somebody whom nobody knows.
        history.apply([
            .employee(EmployeeFacts(id: "new", weeklyCapacityHours: 20)),
            .employee(EmployeeFacts(id: "e3", weeklyCapacityHours: 12)),
        ])
        let ids = (0..<Self.company.people).map { "e\($0)" } + ["new", "stranger"]
        for model in try await models(calibration) {
            for question in questions() { check(model, question, of: ids, history) }
        }
    }

    @Test(
        "of many people as of one a usual rate near one half is unsaid wherever outcomes move it, and any other is said",
        arguments: [(0.44, 0.3, false), (0.55, 0.75, false), (0.65, 0.55, true), (0.3, 0.2, true)])
    func movedRate(rate: Double, moved: Double, isSaid: Bool) async throws {
        var calibration = EventCalibration(baseRate: rate, trust: 0)
        calibration.lately = .init(probabilityFrom: rate, to: moved)
        let ids = (0..<Self.company.people).map { "e\($0)" }
        for model in try await models(calibration) {
            for question in questions() where question.plannedHours != nil {
                check(model, question, of: ids, Self.history)
                let people = ids.map(Self.history.person)
                for estimate in model.estimates(question, of: people, history: Self.history) {
                    let isRight =
                        estimate.successProbability.map { chance in
                            isSaid && [moved, 0.5].contains { abs($0 - chance) < 1e-9 }
                        } ?? !isSaid
                    #expect(isRight, "\(String(describing: estimate.successProbability)) said of \(question)")
                }
            }
        }
    }

    /// Compares, to the bit, what the model says of many with what it says of each alone.
    private func check(_ model: ForecastModel, _ question: Decision, of ids: [String], _ history: History) {
        let estimates = model.estimates(question, of: ids.map(history.person), history: history)
        #expect(estimates.count == ids.count)
        for (id, estimate) in zip(ids, estimates) {
            var own = question
            own.employee = id
            let alone = model.forecast(own, history: history, explaining: false)
            #expect(
                estimate.hours.bitPattern == alone.hours.bitPattern
                    && estimate.successProbability?.bitPattern == alone.successProbability?.bitPattern,
                "\(model.kind) of \(id), asked \(question)")
        }
    }

    @Test("what is kept between questions follows every change of a history", arguments: 1...4 as ClosedRange<UInt64>)
    func keptFigures(seed: UInt64) async throws {
        let model = try await Self.model.value
        var random = SeededGenerator(seed: seed)
        var company = Self.company
        company.seed = seed
        // Unknown people and projects are met along the way, most of them without an outcome at first.
        var changes = company.changes(260)[...]
        let ids = (0..<company.people).map { "e\($0)" } + ["stranger"]
        let questions = questions()
        var history = History()
        while !changes.isEmpty {
            history.apply(changes.prefix(13))
            changes = changes.dropFirst(13)
            // A copy that goes its own way, which shares what was kept until then.
            var other = history
            for _ in 0..<2 {
                let question = questions[random.below(questions.count)]
                check(model, question, of: ids, history)
                check(model, question, of: ids, other)
                check(model, question, of: [ids[random.below(ids.count)], "stranger"], history)
                other.apply(Array(changes.prefix(3)))
                check(model, question, of: ids, other)
            }
        }
    }

    @Test("what is kept takes no more than is said, and nothing once an outcome has come")
    func keptBytes() async throws {
        let model = try await Self.model.value
        // Not the one that other tests ask about meanwhile.
        var history = Self.company.history(Self.rows)
        let people = (0..<Self.company.people).map { history.person("e\($0)") }
        var question = questions()[1]
        #expect(history.keptBytes == 0)
        var most = 0
        for number in 0..<200 {
            question.project = "p\(number % 3)"
            question.skills = number % 2 == 0 ? ["swift"] : ["sql", "swift"]
            question.plannedHours = exp2(Double(number % 40) / 2 - 4)
            _ = model.estimates(question, of: people, history: history)
            most = max(most, history.keptBytes)
        }
        #expect(most > 0 && most <= 64 * 128 * (people.count + 1))
        var late = Self.company.allocations(1)[0]
        late.id = "late"
        history.apply(.allocation(late))
        #expect(history.keptBytes == 0)
    }

    @Test("people who are asked the same differ in no other columns than those that are taken to be personal")
    func personalColumns() async throws {
        let model = try await Self.model.value
        for question in questions() {
            let decision = model.usable(question)
            let schema = model.variant(for: decision).schema
            let personal = Set(schema.personalColumns)
            #expect(!personal.isEmpty && personal.count < schema.columns.count)
            let builder = FeatureBuilder(schema: schema, history: Self.history)
            let rows = (0...Self.company.people).map { person in
                var own = decision
                own.employee = "e\(person)"
                return builder.values(own)
            }
            for column in 0..<schema.columns.count where !personal.contains(column) {
                #expect(Set(rows.map { $0[column].bitPattern }).count == 1, "\(schema.features[column].name)")
            }
        }
    }

    @Test("a model whose chances have moved is not laid out again, and answers many as each alone")
    func movedChances() async throws {
        let model = try await Self.model.value
        func moved(_ variant: VariantModel) -> VariantModel {
            variant.recalibrated(Recalibration(success: .init(logOdds: 0.8), near: .init(logOdds: -0.3), outcomes: 50))
        }
        let planned = try #require(model.planned)
        let other = ForecastModel(
            seed: 1, learnedUntil: model.learnedUntil, trainedRows: model.trainedRows, planned: moved(planned),
            unplanned: moved(model.unplanned), prepared: model.prepared)
        let ids = (0..<Self.company.people).map { "e\($0)" }
        for question in questions().prefix(6) {
            let before = model.estimates(question, of: ids.map(Self.history.person), history: Self.history)
            let after = other.estimates(question, of: ids.map(Self.history.person), history: Self.history)
            for (id, estimate) in zip(ids, after) {
                var own = question
                own.employee = id
                let alone = other.forecast(own, history: Self.history, explaining: false)
                #expect(estimate.hours == alone.hours && estimate.successProbability == alone.successProbability)
            }
            if question.plannedHours != nil, planned.success != nil {
                #expect(before.map(\.successProbability) != after.map(\.successProbability))
            }
        }
    }

    @Test("of thousands of people each is answered as alone")
    func manyPeople() async throws {
        let model = try await Self.model.value
        let question = questions()[4]
        let people = (0..<2_500).map { Self.history.person("e\($0 % (Self.company.people + 1))") }
        let estimates = model.estimates(question, of: people, history: Self.history)
        #expect(estimates.count == people.count)
        for (place, estimate) in estimates.enumerated() {
            #expect(estimate == estimates[place % (Self.company.people + 1)])
        }
        #expect(Set(estimates.map(\.hours)).count > 1)
    }

    @Test("ages of a block are those of each row by every instruction set, young ones and missing ones too")
    func blocksOfAges() {
        var random = SeededGenerator(seed: 4)
        for round in 0..<2_000 {
            let now = 1_700_000_000 + Double(round) * 1_234.567
            let moments = (0..<PeopleBlock.rows).map { _ -> Double in
                switch random.below(7) {
                case 0: .nan
                case 1: now
                case 2: now + 1e6 * random.uniform()
                // About where the series begins to be asked.
                case 3: now - 3_600 * random.uniform()
                case 4: now - exp(50 * random.uniform() - 10)
                default: now - 4e8 * random.uniform() * random.uniform()
                }
            }
            var sink = ValueSink()
            for moment in moments { sink.add(ageSince: moment, to: now, Self.anyFeature) }
            for level in Self.levels {
                var ages = [Float](repeating: 0, count: PeopleBlock.rows)
                PeopleBlock.writeAges(since: moments, to: now, &ages, level: level)
                #expect(ages.map(\.bitPattern) == sink.values.map(\.bitPattern))
            }
        }
    }

    private static let anyFeature = FeatureDescription(name: "", meaning: "", unit: "", knownWhen: .completedBefore)

    /// By which instructions this machine can ask models.
    private static let levels = 0...PeopleBlock.level

    /// Columns that all rows of a question have in common have no place.
    private static let places: [[Int32]] = [
        [0, 1, 2, 3], [-1, 0, 1, 2], [0, -1, -1, 1], [-1, -1, 0, -1], [-1, -1, -1, -1],
    ]

    /// A block of rows, and the same row by row: whole numbers, some of them missing.
    private func block(_ places: [Int32], _ random: inout SeededGenerator) -> (columns: [Float], rows: [[Float]]) {
        func value() -> Float { random.below(12) == 0 ? .nan : Float(random.below(9)) }
        let shared = places.map { _ in value() }
        let rows = (0..<PeopleBlock.rows).map { _ in places.indices.map { places[$0] < 0 ? shared[$0] : value() } }
        var columns = [Float](repeating: 0, count: places.count * PeopleBlock.rows)
        for (column, place) in places.enumerated() where place >= 0 {
            for row in rows.indices { columns[Int(place) * PeopleBlock.rows + row] = rows[row][column] }
        }
        return (columns, rows)
    }

    /// A tree grown by splitting leaves at random.
    private func tree(leaves: Int, columns: Int, _ random: inout SeededGenerator) -> RegressionTree {
        func leaf() -> RegressionTree.Node {
            .init(feature: -1, threshold: 0, left: 0, value: Float(random.uniform()) - 0.3)
        }
        var nodes = [leaf()]
        for _ in 1..<leaves {
            let ends = nodes.indices.filter { nodes[$0].feature < 0 }
            let split = ends[random.below(ends.count)]
            nodes[split].feature = Int32(random.below(columns))
            nodes[split].threshold = Float(random.below(9))
            nodes[split].left = Int32(nodes.count)
            nodes += [leaf(), leaf()]
        }
        return RegressionTree(nodes: nodes)
    }

    @Test("trees of every number of leaves say of a block, by every instruction set, what they say row by row")
    func blocksOfTrees() throws {
        var random = SeededGenerator(seed: 2)
        for places in Self.places {
            for most in [1, 2, 7, 8, 9, 15, 16, 17, 31, 32] {
                var trees = BoostedTrees(constant: 0.4, columns: places.count)
                trees.rate = 0.3
                trees.trees = (0..<40).map { _ in
                    tree(leaves: 1 + random.below(most), columns: places.count, &random)
                }
                trees.trees.append(tree(leaves: most, columns: places.count, &random))
                let prepared = try #require(PreparedTrees(trees, places: places))
                let (columns, rows) = block(places, &random)
                let asked = prepared.asked(rows[0])
                for level in Self.levels {
                    var said = [Double](repeating: 0, count: PeopleBlock.rows)
                    asked.predict(columns, into: &said, level: level)
                    #expect(said.map(\.bitPattern) == rows.map { trees.predict($0).bitPattern }, "\(places) \(most)")
                }
            }
        }
        var trees = BoostedTrees(constant: 0, columns: 3)
        trees.trees = [tree(leaves: 33, columns: 3, &random)]
        #expect(PreparedTrees(trees, places: [0, 1, 2]) == nil)
    }

    @Test("linear models say of a block, by every instruction set, what they say row by row, alone and with others")
    func blocksOfLinears() {
        var random = SeededGenerator(seed: 3)
        for places in Self.places {
            for count in 1...6 {
                // Some standardise columns alike; one column says nothing.
                let models = (0..<count).map { number in
                    let model = RidgeModel(
                        intercept: random.uniform(), weights: places.map { _ in random.uniform() - 0.5 },
                        means: places.map { _ in number % 4 == 3 ? 2.1 : 3.7 }, deviations: [1.3, 0.7, 0, 2.9])
                    // Every third is held to little of what a block has, but for one column.
                    guard number % 3 == 1 else { return model }
                    return model.held(
                        to: FeatureMatrix(values: [3, 3, 3, 3, 4, 4, 4, 4], columns: 4),
                        except: [false, true, false, false])
                }
                let prepared = PreparedLinears(models, places: places)
                #expect(Set(models.indices.map(prepared.place)) == Set(models.indices))
                let (columns, rows) = block(places, &random)
                let asked = prepared.asked(rows[0])
                for level in Self.levels {
                    asked.predict(columns, level: level)
                    for (number, model) in models.enumerated() {
                        let said = UnsafeBufferPointer(
                            start: asked.predictions(at: prepared.place(of: number)), count: PeopleBlock.rows)
                        #expect(
                            said.map(\.bitPattern) == rows.map { model.predict($0).bitPattern }, "\(places) \(count)")
                    }
                }
            }
        }
    }
}
