import Contracts

/// What came of a write: the resource, and what a planner should know of it.
struct Outcome<Item: Codable & Sendable>: Codable, Sendable {
    let item: Item
    let warnings: [PlanningWarning]

    init(item: Item, warnings: [PlanningWarning]) {
        self.item = item
        self.warnings = warnings
    }

    private enum CodingKeys: CodingKey { case item, warnings }

    /// An answer that was kept for its `Idempotency-Key` before writes had warnings is the item itself.
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let isOutcome = container.contains(.item)
        item = isOutcome ? try container.decode(Item.self, forKey: .item) : try Item(from: decoder)
        warnings = isOutcome ? try container.decode([PlanningWarning].self, forKey: .warnings) : []
    }
}

/// Ends the transaction of a `?dryRun=true`, so that nothing of it stays.
private struct Rehearsal<Answer: Sendable>: Error {
    let answer: Answer
}

extension TenantDatabase {
    /// Runs a transaction to its end, or with `dryRun` up to it: the answer is the same, and nothing is changed.
    /// - Parameter transaction: hands its answer to `settle` as the last thing it does.
    func rehearsing<Answer: Sendable>(
        _ dryRun: Bool, isolation: isolated (any Actor)? = #isolation,
        _ transaction: (_ settle: (Answer) throws -> Answer) async throws -> Answer
    ) async throws -> Answer {
        do {
            return try await transaction { answer in
                if dryRun { throw Rehearsal(answer: answer) }
                return answer
            }
        } catch let rehearsal as Rehearsal<Answer> {
            return rehearsal.answer
        }
    }
}
