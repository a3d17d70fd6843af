import CKernels

/// Linear models laid out for many rows at once: those that standardise columns alike, as those fitted to the same rows do, together.
struct PreparedLinears: Sendable {
    fileprivate struct Group {
        let models: [RidgeModel]
        /// Of the first model among all.
        let first: Int
        /// Per column its place in a block; -1 for one that all rows of a question have in common, or that says nothing.
        let places: FixedValues<Int32>
        let means: FixedValues<Double>
        let deviations: FixedValues<Double>
        let lows: FixedValues<Double>
        let highs: FixedValues<Double>
        /// Per column and model.
        let weights: FixedValues<Double>
        let intercepts: FixedValues<Double>
    }

    fileprivate let groups: [Group]
    /// Of each given model, its place among all.
    private let order: [Int]

    /// - Parameter places: per column its place in a block; -1 for one that all rows of a question have in common.
    init(_ models: [RidgeModel], places: [Int32]) {
        var groups: [[Int]] = []
        for (number, model) in models.enumerated() {
            let alike = groups.firstIndex { group in
                let other = models[group[0]]
                return group.count < Int(ERM_LINEARS) && other.standardisesAlike(model)
            }
            if let alike { groups[alike].append(number) } else { groups.append([number]) }
        }
        var order = [Int](repeating: 0, count: models.count)
        var next = 0
        self.groups = groups.map { numbers in
            for (offset, number) in numbers.enumerated() { order[number] = next + offset }
            defer { next += numbers.count }
            return Group(numbers.map { models[$0] }, first: next, places: places)
        }
        self.order = order
    }

    /// The models as they are for one question.
    /// - Parameter row: any of its rows.
    func asked(_ row: UnsafePointer<Float>) -> AskedLinears { AskedLinears(groups, count: order.count, row) }

    /// Where the predictions of one of the given models are among all.
    func place(of model: Int) -> Int { order[model] }
}

extension PreparedLinears.Group {
    fileprivate init(_ models: [RidgeModel], first: Int, places: [Int32]) {
        self.models = models
        self.first = first
        let (means, deviations) = (models[0].means, models[0].deviations)
        self.places = FixedValues(places.indices.map { deviations[$0] > 0 ? places[$0] : -1 })
        self.means = FixedValues(means)
        self.deviations = FixedValues(deviations)
        lows = FixedValues(models[0].lows)
        highs = FixedValues(models[0].highs)
        weights = FixedValues(places.indices.flatMap { column in models.map { $0.weights[column] } })
        intercepts = FixedValues(models.map(\.intercept))
    }

    /// What each column without a place adds, per column and model.
    fileprivate func terms(_ row: UnsafePointer<Float>) -> [Double] {
        var terms = [Double](repeating: 0, count: places.count * models.count)
        for (number, model) in models.enumerated() {
            for column in 0..<places.count where places.base[column] < 0 {
                terms[column * models.count + number] = model.effect(column, row[column])
            }
        }
        return terms
    }
}

/// Linear models as they are for one question, for one thread as ``AskedTrees``.
final class AskedLinears {
    private let groups: [PreparedLinears.Group]
    private let linears: UnsafeMutableBufferPointer<erm_linear>
    private let terms: [FixedValues<Double>]
    private let sums: UnsafeMutablePointer<Double>

    fileprivate init(_ groups: [PreparedLinears.Group], count: Int, _ row: UnsafePointer<Float>) {
        self.groups = groups
        let terms = groups.map { FixedValues($0.terms(row)) }
        self.terms = terms
        linears = .allocate(capacity: groups.count)
        for (place, group) in groups.enumerated() {
            linears.initializeElement(
                at: place,
                to: erm_linear(
                    models: Int32(group.models.count), columns: Int32(group.places.count), places: group.places.base,
                    means: group.means.base, deviations: group.deviations.base, lows: group.lows.base,
                    highs: group.highs.base, terms: terms[place].base, weights: group.weights.base,
                    intercepts: group.intercepts.base))
        }
        sums = .allocate(capacity: max(1, count) * PeopleBlock.rows)
    }

    deinit {
        linears.deallocate()
        sums.deallocate()
    }

    /// Predicts one block by all models.
    func predict(_ block: UnsafePointer<Float>, level: Int32 = PeopleBlock.level) {
        for place in linears.indices {
            let first = groups[place].first
            erm_linear_sums(
                level, linears.baseAddress.unsafelyUnwrapped + place, block,
                sums + first * PeopleBlock.rows)
        }
    }

    /// What a model says of each row of the block.
    /// - Parameter place: as of ``PreparedLinears/place(of:)``.
    func predictions(at place: Int) -> UnsafePointer<Double> { UnsafePointer(sums + place * PeopleBlock.rows) }
}
