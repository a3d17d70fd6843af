import Basics
import Contracts
import Forecasting
import Foundation
import HTTPClient
import HTTPTypes
import HistoryFeed
import Postgres
import ServiceKit
import Testing

@testable import MLTraining

/// Only what may go away by itself is tried again.
@Suite struct AttemptEndTests {
    private func isTriedAgain(_ error: any Error) -> Bool {
        if case .interrupted = AttemptEnd(error) { true } else { false }
    }

    private func code(_ error: any Error) -> ErrorCode? {
        if case .failed(let failure) = AttemptEnd(error) { failure.code } else { nil }
    }

    private func problem(_ status: Int) -> ProblemError {
        ProblemError(status: .init(code: status), code: .upstreamFailed, "A sentence.")
    }

    @Test("a service or a database that did not answer, or a full disk, is retried")
    func transient() {
        #expect(isTriedAgain(SpillError(code: ENOSPC)))
        for status in [502, 503, 504] { #expect(isTriedAgain(problem(status)), "\(status)") }
        #expect(isTriedAgain(HistoryFeedError(description: "cut short")))
        for code in [PostgresError.Code.connectionFailed, .connectionLost, .poolExhausted, .timedOut] {
            #expect(isTriedAgain(PostgresError(code, "trouble")), "\(code)")
        }
    }

    @Test("a deterministic failure is not retried")
    func lasting() {
        #expect(code(TrainingError(.tooLittleHistory, "only 7")) == .notEnoughHistory)
        #expect(code(TrainingError(.badConfiguration, "no")) == .trainingFailed)
        #expect(code(DatasetDamaged()) == .trainingFailed)
        for status in [403, 404] { #expect(code(problem(status)) == .tenantUnavailable, "\(status)") }
        #expect(code(problem(422)) == .internalError)
        #expect(code(PostgresError(.decoding, "a column is wrong")) == .internalError)
        struct Surprise: Error {}
        #expect(code(Surprise()) == .internalError)
    }

    @Test("an end that is known already stays what it is")
    func known() {
        for end in [AttemptEnd.cancelled, .shuttingDown, .leaseLost] { #expect(AttemptEnd(end) == end) }
    }
}
