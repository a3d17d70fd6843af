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
        let variant = prepared.variant(of: self, for: decision)
        let columns = variant.variant.columns.count
        let features = PeopleFeatures(
            decision, schema: variant.variant.schema, columns: columns, history: history)
        let cores = max(1, min(ProcessInfo.processInfo.activeProcessorCount, people.count / Self.peoplePerCore))
        let share = (people.count + cores - 1) / cores
        func parts(_ body: @Sendable (Range<Int>) -> Void) {
            guard cores > 1 else { return body(people.indices) }
            DispatchQueue.concurrentPerform(iterations: cores) { core in
                body(min(core * share, people.count)..<min((core + 1) * share, people.count))
            }
        }
        let rows = [Float](unsafeUninitializedCapacity: people.count * columns) { buffer, count in
            nonisolated(unsafe) let target = buffer.baseAddress
            parts { part in
                if let target { features.write(people[part], to: target + part.lowerBound * columns) }
            }
            count = people.count * columns
        }
        let nothing = PersonEstimate(hours: 0, successProbability: nil)
        var estimates = [PersonEstimate](repeating: nothing, count: people.count)
        rows.withUnsafeBufferPointer { rows in
            estimates.withUnsafeMutableBufferPointer { estimates in
                guard let first = rows.baseAddress else { return }
                let varied = Self.variedColumns(rows, columns: columns)
                nonisolated(unsafe) let (rows, estimates, row) = (rows, estimates, first)
                parts { part in
                    var asked = variant.asked(planned: decision.plannedHours ?? 0, row, varied: varied)
                    var place = part.lowerBound
                    asked.estimates(
                        UnsafeBufferPointer(
                            rebasing: rows[part.lowerBound * columns..<part.upperBound * columns])
                    ) {
                        estimates[place] = $0
                        place += 1
                    }
                }
            }
        }
        return estimates
    }

    /// The columns in which some row differs from the first.
    private static func variedColumns(_ rows: UnsafeBufferPointer<Float>, columns: Int) -> [Int] {
        var differs = [UInt32](repeating: 0, count: columns)
        differs.withUnsafeMutableBufferPointer { differs in
            for row in stride(from: columns, to: rows.count, by: columns) {
                for column in 0..<columns {
                    differs[column] |= rows[row + column].bitPattern ^ rows[column].bitPattern
                }
            }
        }
        return (0..<columns).filter { differs[$0] != 0 }
    }
}

/// The models of a ``ForecastModel`` laid out for many people, made when first asked for.
final class PreparedVariants: Sendable {
    private let variants = Mutex<[ForecastModel.Place: PreparedVariant]>([:])

    func variant(of model: ForecastModel, for decision: Decision) -> PreparedVariant {
        let (place, variant) = model.placedVariant(for: decision)
        return variants.withLock { variants in
            if let known = variants[place] { return known }
            let made = PreparedVariant(variant)
            variants[place] = made
            return made
        }
    }
}
