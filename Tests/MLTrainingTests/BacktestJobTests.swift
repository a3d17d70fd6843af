import Contracts
import Foundation
import HTTPTypes
import Postgres
import ServiceStorage
import TestSupport
import Testing

@testable import MLTraining

/// Back-tests over HTTP: started, run by a worker, read, refused and cancelled.
@Suite struct BacktestJobTests {
    @Test("a back-test replays a span with fits along the way and reports as a card does; it trains no model")
    func wholeWay() async throws {
        let history = SyntheticHistory(allocations: 120)
        try await TrainingService.with(history: history, working: true) { service in
            let span = history.end.timeIntervalSince(SyntheticHistory.start)
            let from = SyntheticHistory.start.addingTimeInterval(0.6 * span)
            let to = SyntheticHistory.start.addingTimeInterval(0.95 * span)
            let started = try await service.send(
                .post, "/api/v1/backtests",
                #"{"from": "\#(WireJSON.timestamp(from))", "to": "\#(WireJSON.timestamp(to))", "refits": 2, "epochs": 10, "seed": 3}"#
            )
            #expect(started.status == .accepted, "\(started.body)")
            let id = try #require(started.data?["id"]?.stringValue)
            var backtest = started.data
            while let status = backtest?["status"]?.stringValue, ["queued", "running"].contains(status) {
                try await Task.sleep(for: .milliseconds(50))
                backtest = try await service.send(.get, "/api/v1/backtests/\(id)").data
            }
            #expect(backtest?["status"]?.stringValue == "succeeded", "\(backtest ?? .null)")
            #expect(backtest?["report"]?["fits"]?.doubleValue == 2)
            let asked = try #require(backtest?["report"]?["asked"]?.doubleValue)
            #expect(asked > 20)
            #expect(backtest?["card"]?.stringValue?.contains("Asked about \(Int(asked)) decisions") == true)
            guard case .array(let candidates)? = backtest?["report"]?["candidates"] else {
                Issue.record("no candidates")
                return
            }
            #expect(candidates.first?["name"]?.stringValue == "served" && candidates.count > 3)

            // Neither a training job nor a model, and no other tenant's.
            #expect(try await service.send(.get, "/api/v1/models").data == .array([]))
            #expect(try await service.send(.get, "/api/v1/training/jobs").data == .array([]))
            #expect(try await service.send(.get, "/api/v1/training/jobs/\(id)").status == .notFound)
            #expect(try await service.send(.get, "/api/v1/backtests/\(id)", tenant: TenantID()).status == .notFound)
            guard case .array(let all)? = try await service.send(.get, "/api/v1/backtests").data else { return }
            #expect(all.count == 1 && all[0]["report"] == nil && all[0]["card"]?.stringValue != nil)
            #expect(try await service.send(.delete, "/api/v1/backtests/\(id)").status == .conflict)
        }
    }

    @Test(
        "a span that nothing was known before is answered by the baseline; one that waits is cancelled; a bad span is refused"
    )
    func refused() async throws {
        try await TrainingService.with { service in
            for body in [
                #"{"from": "2999-01-01T00:00:00.000Z"}"#,
                #"{"from": "2020-01-01T00:00:00.000Z", "to": "2019-01-01T00:00:00.000Z"}"#,
                #"{"from": "2020-01-01T00:00:00.000Z", "refits": 25}"#, "{}",
            ] {
                #expect(
                    try await service.send(.post, "/api/v1/backtests", body).status == .unprocessableContent, "\(body)")
            }
            let bad = try await service.send(
                .post, "/api/v1/backtests",
                #"{"from": "2020-01-01T00:00:00.000Z", "to": "2019-01-01T00:00:00.000Z", "refits": 99}"#)
            let said = String(decoding: bad.bytes, as: UTF8.self)
            #expect(said.contains(#""refits""#) && said.contains(#""to""#))
            // No worker runs: an older release's, which knows no back-tests, must not take one for a job that trains.
            let started = try await service.send(
                .post, "/api/v1/backtests", #"{"from": "2020-01-01T00:00:00.000Z"}"#)
            let id = try #require(started.data?["id"]?.stringValue)
            let again = #"{"from": "2021-01-01T00:00:00.000Z", "seed": 1}"#
            let key = try #require(HTTPField.Name("Idempotency-Key"))
            let twice = try await [
                service.send(.post, "/api/v1/backtests", again, headers: [key: "k"]),
                service.send(.post, "/api/v1/backtests", again, headers: [key: "k"]),
            ]
            #expect(twice[0].data?["id"] == twice[1].data?["id"])
            guard case .array(let all)? = try await service.send(.get, "/api/v1/backtests").data else { return }
            #expect(all.count == 2)
            let waiting = try await service.fixture.database.withTenantRows(service.tenant) { connection in
                try await connection.query("SELECT bool_and(not_before = 'infinity') AS waits FROM jobs")[0]
                    .decode("waits", as: Bool.self)
            }
            #expect(waiting)
            let reader = try await service.send(
                .post, "/api/v1/backtests", #"{"from": "2020-01-01T00:00:00.000Z"}"#, actions: ["read"])
            #expect(reader.status == .forbidden)
            let cancelled = try await service.send(.delete, "/api/v1/backtests/\(id)")
            #expect(cancelled.data?["status"]?.stringValue == "cancelled")
        }
        try await TrainingService.with(working: true) { service in
            let started = try await service.send(
                .post, "/api/v1/backtests", #"{"from": "2000-01-01T00:00:00.000Z", "refits": 1}"#)
            let id = try #require(started.data?["id"]?.stringValue)
            var backtest = started.data
            while let status = backtest?["status"]?.stringValue, ["queued", "running"].contains(status) {
                try await Task.sleep(for: .milliseconds(50))
                backtest = try await service.send(.get, "/api/v1/backtests/\(id)").data
            }
            #expect(backtest?["status"]?.stringValue == "succeeded", "\(backtest ?? .null)")
            #expect(backtest?["report"]?["fits"]?.doubleValue == 0)
            let asked = try #require(backtest?["report"]?["asked"]?.doubleValue)
            #expect(asked > 0 && backtest?["report"]?["answeredByBaseline"]?.doubleValue == asked)
            #expect(backtest?["card"]?.stringValue?.contains("the baseline answered") == true)
        }
    }
}
