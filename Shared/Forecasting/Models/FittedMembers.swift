/// What each member says of the same rows.
struct MemberPredictions: Sendable {
    private var values: [MemberName: [Double]]

    init(_ values: [MemberName: [Double]]) { self.values = values }

    /// The member must be among those that were asked.
    subscript(name: MemberName) -> [Double] {
        guard let own = values[name] else { preconditionFailure("the member \(name) was not asked") }
        return own
    }

    /// The rows of all parts, one part after the other.
    static func joined(_ parts: [MemberPredictions]) -> MemberPredictions {
        var values: [MemberName: [Double]] = [:]
        for part in parts { values.merge(part.values) { $0 + $1 } }
        return MemberPredictions(values)
    }
}

/// The members of a variant, by name.
struct FittedMembers: Sendable {
    private var fitted: [MemberName: HoursMember]

    init(_ fitted: [MemberName: HoursMember]) { self.fitted = fitted }

    var names: Set<MemberName> { Set(fitted.keys) }

    /// The member must have been fitted: candidates only name such members.
    subscript(name: MemberName) -> HoursMember {
        guard let member = fitted[name] else { preconditionFailure("the member \(name) was not fitted") }
        return member
    }

    /// Nil without one.
    var baseNetwork: HoursMember? { fitted[.baseNetwork] }

    var linears: [RidgeModel] {
        fitted.values.compactMap { if case .linear(let model) = $0 { model } else { nil } }
    }

    func predict(_ matrix: FeatureMatrix, columns: FeatureSchema.Columns) -> MemberPredictions {
        MemberPredictions(fitted.mapValues { $0.predict(matrix, columns: columns) })
    }

    func encode(into writer: inout ByteWriter) {
        // By place, which is what a member's raw value is.
        writer.write(MemberName.allCases.compactMap { fitted[$0] }) { $1.encode(into: &$0) }
    }

    init(from reader: inout ByteReader, columns: Int) throws {
        let members = try reader.array { try HoursMember(from: &$0, columns: columns) }
        guard members.count <= MemberName.allCases.count else {
            throw ArtifactError(description: "the artefact has members of an unknown kind")
        }
        fitted = Dictionary(uniqueKeysWithValues: zip(MemberName.allCases, members))
    }
}
