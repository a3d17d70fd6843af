import Foundation
public import NeuralNetwork

/// What a training job makes and ml-prediction serves: everything an answer needs but history itself.
public struct ForecastModel: Sendable {
    private static let magic: UInt32 = 0x314D_5245
    /// Format 2 brought `HoursCandidate.trust`, format 3 models for questions without details, format 4 titles, format 5 the effort
    /// of a percentage, format 6 hours per day, format 7 linear models held to what they have seen. Earlier ones are still read, so that a
    /// deployed model survives an upgrade, and a model is written in the earliest format that has all of it, so that an earlier release can
    /// read it.
    private static let formatVersion: UInt16 = 7

    private var leastFormat: UInt16 {
        let variants = [planned, unplanned, plannedWithoutDetails, unplannedWithoutDetails]
        if variants.contains(where: { $0?.isHeld == true }) { return 7 }
        let schemas = [planned, unplanned].compactMap { $0?.schema }
        if schemas.contains(where: \.usesHoursPerDay) { return 6 }
        return schemas.contains(where: \.usesEffort) ? 5 : schemas.contains(where: \.usesTitles) ? 4 : 3
    }

    public let seed: UInt64
    /// Everything learned from was known before this moment, seconds since 1970: just after the last outcome, whenever
    /// the model was asked for, so that equal histories give equal models.
    public let learnedUntil: Double
    /// Rows the models were fitted to.
    public let trainedRows: Int
    /// For questions with the planned hours; nil when too few allocations had a plan.
    let planned: VariantModel?
    /// For questions without.
    let unplanned: VariantModel
    /// The same for questions that leave out what nearly all decisions named (``FeatureSchema/expects``); nil where there
    /// is nothing of the kind.
    let plannedWithoutDetails: VariantModel?
    let unplannedWithoutDetails: VariantModel?
    let prepared: PreparedVariants
    /// A few questions with the trainer's answers; nil in artefacts made before this field existed.
    public internal(set) var probe: ModelProbe?

    init(
        seed: UInt64, learnedUntil: Double, trainedRows: Int, planned: VariantModel?, unplanned: VariantModel,
        plannedWithoutDetails: VariantModel? = nil, unplannedWithoutDetails: VariantModel? = nil,
        prepared: PreparedVariants = PreparedVariants()
    ) {
        self.prepared = prepared
        self.plannedWithoutDetails = plannedWithoutDetails
        self.unplannedWithoutDetails = unplannedWithoutDetails
        self.seed = seed
        self.learnedUntil = learnedUntil
        self.trainedRows = trainedRows
        self.planned = planned
        self.unplanned = unplanned
    }

    /// Stable name of the candidate that answers questions with a plan (without one, if there is no such model).
    public var kind: String {
        let variant = planned ?? unplanned
        return variant.candidates[variant.winner].name
    }

    /// The base network (five inputs as of the decision; outputs allocation, hours ÷ 40 and success), for export.
    /// - Parameter withPlan: that of questions with the planned hours, or of those without; nil for the first there is.
    public func baseNetwork(withPlan: Bool? = nil) -> Network? {
        let variants = [withPlan == false ? nil : planned, withPlan == true ? nil : unplanned]
        for variant in variants.compactMap({ $0 }) {
            if case .network(let network) = variant.members.baseNetwork { return network }
        }
        return nil
    }

    /// The features that questions of this kind are answered from.
    public func features(withPlan: Bool) -> [FeatureDescription] { variant(withPlan: withPlan).schema.features }

    func variant(withPlan: Bool) -> VariantModel { withPlan ? planned ?? unplanned : unplanned }

    /// Whether planned hours make a difference.
    public var usesPlans: Bool { planned != nil }

    /// The model of this kind of question.
    func variant(for decision: Decision) -> VariantModel { placedVariant(for: decision).variant }

    /// The model of this kind of question, and what it is called among those of this model.
    func placedVariant(for decision: Decision) -> (place: Place, variant: VariantModel) {
        let withPlan = decision.plannedHours != nil && planned != nil
        let full = variant(withPlan: withPlan)
        if !full.schema.missing(in: decision).isEmpty {
            if withPlan, let variant = plannedWithoutDetails { return (.plannedWithoutDetails, variant) }
            if !withPlan, let variant = unplannedWithoutDetails { return (.unplannedWithoutDetails, variant) }
        }
        return (withPlan ? .planned : .unplanned, full)
    }

    /// Raw values are stored in artefacts.
    enum Place: UInt8, CaseIterable { case planned, unplanned, plannedWithoutDetails, unplannedWithoutDetails }

    /// The artefact: equal models have equal bytes.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.write(Self.magic)
        writer.formatVersion = leastFormat
        writer.write(writer.formatVersion)
        writer.write(UInt16(FeatureSchema.version))
        writer.write(seed)
        writer.write(learnedUntil)
        writer.write(Int64(trainedRows))
        writer.write(planned != nil)
        planned?.encode(into: &writer)
        unplanned.encode(into: &writer)
        for variant in [plannedWithoutDetails, unplannedWithoutDetails] {
            writer.write(variant != nil)
            variant?.encode(into: &writer)
        }
        probe?.encode(into: &writer)
        return writer.bytes
    }

    /// - Throws: `ArtifactError` (or the network's own error) when the bytes are damaged or of another version.
    public init(decoding bytes: [UInt8]) throws {
        var reader = ByteReader(bytes)
        guard try reader.integer(UInt32.self) == Self.magic else {
            throw ArtifactError(description: "this is not a forecast model")
        }
        reader.formatVersion = try reader.integer()
        guard (1...Self.formatVersion).contains(reader.formatVersion),
            try reader.integer(UInt16.self) == UInt16(FeatureSchema.version)
        else { throw ArtifactError(description: "the forecast model is of another version") }
        let seed = try reader.integer(UInt64.self)
        let learnedUntil = try reader.double()
        let trainedRows = Int(try reader.integer(Int64.self))
        let planned = try reader.bool() ? VariantModel(from: &reader) : nil
        let unplanned = try VariantModel(from: &reader)
        var withoutDetails: [VariantModel?] = [nil, nil]
        if reader.formatVersion >= 3 {
            for index in withoutDetails.indices where try reader.bool() {
                withoutDetails[index] = try VariantModel(from: &reader)
            }
        }
        let probe = reader.isAtEnd ? nil : try ModelProbe(from: &reader)
        guard reader.isAtEnd else { throw ArtifactError(description: "the artefact is longer than it should be") }
        self.init(
            seed: seed, learnedUntil: learnedUntil, trainedRows: trainedRows, planned: planned, unplanned: unplanned,
            plannedWithoutDetails: withoutDetails[0], unplannedWithoutDetails: withoutDetails[1])
        self.probe = probe
    }
}
