import Dispatch
import Foundation
import Synchronization

/// What a model says of one person among many.
public struct PersonEstimate: Sendable, Equatable {
    /// As ``Forecast/hours``.
    public var hours: Double
    /// As ``Forecast/successProbability``.
    public var successProbability: Double?
}

extension ForecastModel {
    /// Below so many people another core is not worth its while.
    private static let peoplePerCore = 1_024

    /// The same question about many people: to the bit what ``forecast(_:history:explaining:)`` says of each.
    /// - Parameters:
    ///   - decision: the person it names does not matter.
    ///   - people: of this history.
    public func estimates(_ decision: Decision, of people: [HistoryPerson], history: History) -> [PersonEstimate] {
        guard !people.isEmpty else { return [] }
        let decision = usable(decision)
        let (place, variant) = placedVariant(for: decision)
        let prepared = prepared.variant(at: place, of: variant)
        let features = PeopleFeatures(decision, schema: variant.schema, history: history)
        let row = features.sharedRow()
        let cores = max(1, min(ProcessInfo.processInfo.activeProcessorCount, people.count / Self.peoplePerCore))
        let share = (people.count + cores - 1) / cores
        return [PersonEstimate](unsafeUninitializedCapacity: people.count) { estimates, count in
            nonisolated(unsafe) let estimates = estimates
            @Sendable func answer(_ part: Range<Int>) {
                var question = PeopleQuestion(prepared, variant, planned: decision.plannedHours ?? 0, row: row)
                func note(_ place: Int, _ estimate: PersonEstimate) {
                    estimates.initializeElement(at: place, to: estimate)
                }
                var first = part.lowerBound
                features.forEachBlock(of: people[part], columns: prepared.personal.count) { count, block in
                    question.ask(block, count: count, first: first, note)
                    first += count
                }
                question.finish(note)
            }
            if cores == 1 {
                answer(people.indices)
            } else {
                DispatchQueue.concurrentPerform(iterations: cores) { core in
                    answer(min(core * share, people.count)..<min((core + 1) * share, people.count))
                }
            }
            count = people.count
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
