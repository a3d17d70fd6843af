import Synchronization

/// What a model says of one person among many.
public struct PersonEstimate: Sendable, Equatable {
    /// As ``Forecast/hours``.
    public var hours: Double
    /// As ``Forecast/successProbability``.
    public var successProbability: Double?
}

extension ForecastModel {
    /// The same question about many people: to the bit what ``forecast(_:history:explaining:)`` says of each.
    ///
    /// One thread's work: where many ask at once, a core for each of them takes less of all than several for each.
    /// - Parameters:
    ///   - decision: the person it names does not matter.
    ///   - people: of this history.
    public func estimates(_ decision: Decision, of people: [HistoryPerson], history: History) -> [PersonEstimate] {
        guard !people.isEmpty else { return [] }
        let decision = usable(decision)
        let (place, variant) = placedVariant(for: decision)
        let prepared = prepared.variant(at: place, of: variant)
        return PeopleFeatures.read(decision, of: people, schema: variant.schema, history: history) { features, reader in
            var question = PeopleQuestion(
                prepared, variant, planned: decision.plannedHours ?? 0,
                moves: variant.latestErrors.moves(at: decision.at, of: people, history: history),
                row: features.sharedRow())
            return [PersonEstimate](unsafeUninitializedCapacity: people.count) { estimates, count in
                func note(_ place: Int, _ estimate: PersonEstimate) {
                    estimates.initializeElement(at: place, to: estimate)
                }
                features.forEachBlock(reader, columns: prepared.personal.count, ages: prepared.ages) { part, block in
                    question.ask(block, count: part.count, first: part.lowerBound, note)
                }
                question.finish(note)
                count = people.count
            }
        }
    }
}

/// The models of a ``ForecastModel`` laid out for many people, made when first asked for.
final class PreparedVariants: Sendable {
    private let variants = Mutex<[ForecastModel.Place: PreparedVariant]>([:])

    func variant(at place: ForecastModel.Place, of variant: VariantModel) -> PreparedVariant {
        variants.withLock { variants in
            if let known = variants[place] { return known }
            let made = PreparedVariant(variant)
            variants[place] = made
            return made
        }
    }
}
