import Foundation

/// Probability of an event: a linear and a boosted classifier averaged on the log-odds scale, calibrated on later rows.
struct EventClassifier: Sendable {
    /// Nil where there was too little to fit.
    var linear: RidgeModel?
    var trees: BoostedTrees?
    /// How much of the log odds is the linear classifier's, 0…1, where there are both.
    var linearShare = 0.5
    var calibration: EventCalibration

    init(baseRate: Double, linear: RidgeModel? = nil, trees: BoostedTrees? = nil) {
        self.linear = linear
        self.trees = trees
        calibration = EventCalibration(baseRate: baseRate, trust: linear == nil && trees == nil ? 0 : 1)
    }

    var baseRate: Double { calibration.baseRate }

    /// Says the same of everybody, having nothing fitted.
    var isBaseRate: Bool { linear == nil && trees == nil }

    /// Says different things of different rows, having proven itself.
    var tellsApart: Bool { calibration.tellsApart }

    func raw(_ row: UnsafePointer<Float>) -> Double {
        raw(linear: linear.map { $0.predict(row) }, trees: trees.map { $0.predict(row) })
    }

    /// From what its classifiers say, each nil where there is none.
    func raw(linear: Double?, trees: Double?) -> Double {
        Self.raw(linear: linear, trees: trees, linearShare: linearShare, baseRate: baseRate)
    }

    /// The same by plain numbers.
    static func raw(linear: Double?, trees: Double?, linearShare: Double, baseRate: Double) -> Double {
        switch (linear, trees) {
        case (let linear?, let trees?): linearShare * linear + (1 - linearShare) * trees
        case (let linear?, nil): linear
        case (nil, let trees?): trees
        case (nil, nil): log(baseRate / (1 - baseRate))
        }
    }

    func raw(_ matrix: FeatureMatrix) -> [Double] {
        matrix.forEachRow { _, row in row.baseAddress.map { raw($0) } ?? 0 }
    }

    func probability(_ row: UnsafePointer<Float>) -> Double { calibration.probability(raw(row)) }

    /// The same recipe and calibration with classifiers fitted to more rows.
    func refitted(_ again: EventClassifier) -> EventClassifier {
        var other = self
        if linear != nil { other.linear = again.linear }
        if trees != nil { other.trees = again.trees }
        return other
    }

    func encode(into writer: inout ByteWriter) {
        writer.write(linear != nil)
        linear?.encode(into: &writer)
        writer.write(trees != nil)
        trees?.encode(into: &writer)
        writer.write(linearShare)
        calibration.encode(into: &writer)
    }

    init(from reader: inout ByteReader, columns: Int) throws {
        linear = try reader.bool() ? RidgeModel(from: &reader, columns: columns) : nil
        trees = try reader.bool() ? BoostedTrees(from: &reader, columns: columns) : nil
        linearShare = try reader.double()
        calibration = try EventCalibration(from: &reader)
    }
}
