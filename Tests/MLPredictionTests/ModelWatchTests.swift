import Basics
import Contracts
import Foundation
import HTTPClient
import HTTPTypes
import HistoryFeed
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Postgres
import ServiceKit
import ServiceStorage
import Synchronization
import TestSupport
import Testing

@testable import MLPrediction

/// What happens to predictions between requests.
@Suite struct ModelWatchTests {
    /// The operator's end of the webhook, which refuses the first few alarms.
    private final class Receiver: Sendable {
        struct Taken: Sendable {
            let alarm: OutgoingAlarm
            let signature: String
            let body: [UInt8]

            /// `TenantAdminTests/MessageDeliveryTests` works the code out anew.
            var isSigned: Bool { signature.wholeMatch(of: /t=[0-9]{10},v1=[0-9a-f]{64}/) != nil }
        }

        private let state = Mutex<[Taken]>([])
        private let refusals: Int
        var taken: [Taken] { state.withLock { $0 } }

        init(refusals: Int) { self.refusals = refusals }

        private func take(_ request: Request) async throws -> HTTPResponse.Status {
            var request = request
            let body = Array(try await request.collectBody(upTo: 65_536).readableBytesView)
            let taken = Taken(
                alarm: try WireJSON.decode(from: body),
                signature: request.headers[HTTPField.Name("X-ERM-Signature")!] ?? "", body: body)
            return state.withLock { state in
                state.append(taken)
                return state.count <= refusals ? .serviceUnavailable : .noContent
            }
        }

        static func with(
            refusals: Int, _ body: @Sendable (Receiver, Webhook) async throws -> Void
        ) async throws {
            let receiver = Receiver(refusals: refusals)
            let router = Router(context: ServiceRequestContext.self)
            router.post("alarms") { request, _ in try await receiver.take(request) }
            try await ServiceApplication(router: router).testable().test(.live) { live in
                let client = HTTPClient(logger: PostgresCluster.quietLogger)
                try await body(
                    receiver,
                    Webhook(
                        url: "http://127.0.0.1:\(try #require(live.port))/alarms",
                        secret: "a secret that both sides know",
                        client: client))
                await client.shutdown()
            }
        }
    }

    /// Asks one question about each of many plans, so that outcomes can be given to all of them.
    private func ask(_ count: Int, _ service: PredictionsOverHTTP) async throws {
        let people = TrainedModel.history.employees
        let questions = (0..<count).map { index in
            """
            {"employeeId": "\(people[index % people.count].id)", "projectId": "\(TrainedModel.history.projects[index % 3].id)",
            "plannedHours": \(index + 1)}
            """
        }
        let body = "{\"requests\": [\(questions.joined(separator: ","))]}"
        #expect(try await service.send(.post, "/api/v1/predictions/batch", body).status == .ok)
    }

    @Test("a tenant is looked after from its first prediction on, by one node at a time")
    func watched() async throws {
        try await PredictionsOverHTTP.with { service in
            func watches() async throws -> Int {
                try await service.database.withTenantRows(service.tenant) { connection in
                    try await connection.query("SELECT count(*) AS number FROM watches")[0].decode("number")
                }
            }
            #expect(try await watches() == 0)
            try await ask(1, service)
            try await ask(2, service)
            #expect(try await watches() == 1)
            let rows = try await service.database.withTransaction { connection in
                try await connection.query("SELECT FROM watches").count
            }
            #expect(rows == 0, "watches are seen without a tenant")
        }
    }

    @Test(
        "an outcome that comes late reaches who reads its prediction, or its day, behind thousands of newer open predictions",
        arguments: ["one", "list", "metrics"])
    func lateOutcome(read: String) async throws {
        try await PredictionsOverHTTP.with { service in
            try await ask(1, service)
            // The question was asked a fortnight ago, and thousands of others since.
            try await service.database.withTenantRows(service.tenant) { connection in
                _ = try await connection.execute(
                    """
                    UPDATE predictions SET created_at = created_at - interval '14 days',
                        prediction_result = jsonb_set(prediction_result, '{asOf}',
                            to_jsonb(to_char(now() - interval '14 days', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))
                    """)
                _ = try await connection.execute(
                    """
                    INSERT INTO predictions (id, tenant_id, model_id, model_version, model_kind, employee_id, project_id,
                        input_data, prediction_result, estimated_hours, planned_hours, requested_by, created_at, updated_at)
                    SELECT gen_random_uuid(), tenant_id, model_id, model_version, model_kind, employee_id, project_id,
                        input_data, jsonb_set(prediction_result, '{asOf}', to_jsonb(
                            to_char(now() - interval '1 day', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))), estimated_hours, 77, requested_by, now() - interval '1 day', now()
                    FROM predictions, generate_series(1, 4100)
                    """)
            }
            let day = CivilDate(Date().addingTimeInterval(-14 * 86_400))
            func figures() async throws -> JSONValue? {
                let answer = try await service.send(.get, "/api/v1/metrics?from=\(day)&to=\(day)").body["data"]
                guard case .array(let days)? = answer else { return nil }
                return days.first
            }
            #expect(try await figures()?["outcomesCount"] == .integer(0))

            let decided = Date().addingTimeInterval(-13.9 * 86_400)
            let booking = Contracts.Allocation(
                id: AllocationID(), externalId: "late", employeeId: TrainedModel.history.employees[0].id,
                projectId: TrainedModel.history.projects[0].id, allocationPercentage: 50, allocatedHours: 1,
                plannedHours: 1, actualHours: 3, requiredSkills: [], labels: [:], startDate: CivilDate(decided),
                endDate: nil, completedAt: Date().addingTimeInterval(-3_600), createdAt: decided)
            service.upstream.state.withLock { $0.lines[service.tenant]?.append(.allocation(booking)) }
            if read == "one" {
                let id = try await service.database.withTenantRows(service.tenant) { connection in
                    try await connection.query("SELECT id FROM predictions WHERE planned_hours = 1")[0]
                        .decode("id", as: PredictionID.self)
                }
                let one = try await service.send(.get, "/api/v1/predictions/\(id)").body["data"]
                #expect(one?["actual"]?["actualHours"]?.doubleValue == 3)
                return
            }
            if read == "list" {
                let (from, to) = (day.startOfDay, day.adding(days: 1).startOfDay)
                let span = "from=\(WireJSON.timestamp(from))&to=\(WireJSON.timestamp(to))"
                let known = "/api/v1/predictions?outcome=known&\(span)"
                guard case .array(let found)? = try await service.send(.get, known).body["data"] else {
                    Issue.record("no list")
                    return
                }
                #expect(found.map { $0["actual"]?["actualHours"]?.doubleValue } == [3])
                return
            }
            let late = try #require(try await figures())
            #expect(late["outcomesCount"] == .integer(1), "the day was asked for")
            #expect((late["meanAbsoluteError"]?.doubleValue ?? 0) > 0)
        }
    }

    @Test("what comes of a question about the past says nothing of the model, which may have learned from it")
    func hindsight() async throws {
        try await PredictionsOverHTTP.with { service in
            let history = TrainedModel.history
            for asOf in [nil, "2026-01-01T00:00:00.000Z"] {
                let past = asOf.map { #", "asOf": "\#($0)""# } ?? ""
                let answer = try await service.send(
                    .post, "/api/v1/predictions",
                    #"{"employeeId": "\#(history.employees[0].id)", "projectId": "\#(history.projects[0].id)", "plannedHours": 8\#(past)}"#
                )
                let id = try #require(answer.body["data"]?["predictionId"]?.stringValue, "\(answer.body)")
                let recorded = try await service.send(
                    .put, "/api/v1/predictions/\(id)/actual", #"{"actualHours": 11}"#)
                #expect(recorded.status == .ok)
            }
            let metrics = try await service.send(.get, "/api/v1/metrics").body["data"]
            guard case .array(let days)? = metrics, let day = days.first else {
                Issue.record("no days: \(String(describing: metrics))")
                return
            }
            #expect(day["predictionsCount"] == .integer(2) && day["outcomesCount"] == .integer(1))
        }
    }

    @Test(
        "an outcome follows the booking that it was taken from, also when the plan takes it back; a recorded one stays")
    func corrected() async throws {
        try await PredictionsOverHTTP.with { service in
            let history = TrainedModel.history
            let feed = ScriptedFeed(history.lines)
            let mirrors = TenantMirrors { tenant in
                TenantMirror(tenant: tenant, source: feed, freshness: Freshness(fresh: .zero))
            }
            let intake = OutcomeIntake(mirrors: mirrors, log: PostgresPredictionLog(database: service.database))
            let (id, booked) = (AllocationID(), Date().addingTimeInterval(-7_200))
            func booking(_ hours: Double?) -> HistoryLine {
                .allocation(
                    Contracts.Allocation(
                        id: id, externalId: "late", employeeId: history.employees[0].id,
                        projectId: history.projects[0].id, allocationPercentage: 50, allocatedHours: 8, plannedHours: 8,
                        actualHours: hours, requiredSkills: [], labels: [:], startDate: CivilDate(booked), endDate: nil,
                        completedAt: hours.map { _ in Date().addingTimeInterval(600) }, createdAt: booked))
            }
            var ids: [String] = []
            for _ in 0..<2 {
                let answer = try await service.send(
                    .post, "/api/v1/predictions",
                    #"{"employeeId": "\#(history.employees[0].id)", "projectId": "\#(history.projects[0].id)", "plannedHours": 8}"#
                )
                ids.append(try #require(answer.body["data"]?["predictionId"]?.stringValue))
            }
            func actuals() async throws -> [Double?] {
                try await intake.takeAll(of: service.tenant)
                var hours: [Double?] = []
                for id in ids {
                    let record = try await service.send(.get, "/api/v1/predictions/\(id)").body["data"]
                    hours.append(record?["actual"]?["actualHours"]?.doubleValue)
                }
                return hours
            }
            #expect(try await actuals() == [nil, nil])
            feed.change([booking(10)])
            #expect(try await actuals() == [10, 10])
            let recorded = try await service.send(
                .put, "/api/v1/predictions/\(ids[1])/actual", #"{"actualHours": 11}"#)
            #expect(recorded.status == .ok)
            feed.change([booking(20)])
            #expect(try await actuals() == [20, 11])
            feed.change([booking(nil)])
            #expect(try await actuals() == [nil, 11])
            feed.change([booking(9)])
            #expect(try await actuals() == [9, 11])
            feed.change([.removed(RemovedRow(kind: "allocation", id: id.rawValue))])
            #expect(try await actuals() == [nil, 11])
        }
    }

    @Test(
        "an alarm is sent to the operator's webhook once, signed, and again until it is taken; other tenants' rows stay unseen"
    )
    func alarms() async throws {
        try await PredictionsOverHTTP.with { service in
            try await ask(100, service)
            // Twenty days ago; all work of the history takes five days.
            try await service.database.withTenantRows(service.tenant) { connection in
                _ = try await connection.execute(
                    """
                    UPDATE predictions SET created_at = created_at - interval '20 days', actual_hours = 9 * estimated_hours,
                        actual_result = jsonb_build_object('actualHours', 9 * estimated_hours, 'completedAt',
                            to_char((created_at - interval '17 days') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
                    """)
            }
            let mirrors = TenantMirrors { tenant in
                TenantMirror(
                    tenant: tenant, source: ScriptedFeed(TrainedModel.history.lines), freshness: Freshness())
            }
            let drift = DriftFeed(database: service.database, mirrors: mirrors, gate: ComputeGate())
            // Looked at twice, as by two nodes, an alarm is written down once.
            try await drift.lookAtRecent(service.tenant)
            try await drift.lookAtRecent(service.tenant)
            try await drift.lookAtRecent(TenantID())
            let notices = AlarmNotices(database: service.database)
            try await Receiver.with(refusals: 1) { receiver, webhook in
                let delivery = AlarmDelivery(
                    notices: notices, webhook: webhook, logger: PostgresCluster.quietLogger)
                try await delivery.deliverDue()
                let first = receiver.taken
                #expect(!first.isEmpty)
                // The refused one is due again in five seconds.
                try await service.database.withTenantRows(service.tenant) { connection in
                    _ = try await connection.execute("UPDATE alarm_notices SET next_attempt_at = now()")
                }
                try await delivery.deliverDue()
                let all = receiver.taken
                #expect(all.count == first.count + 1 && Set(all.map(\.alarm.id)).count == first.count)
                #expect(all.allSatisfy { $0.alarm.tenantId == service.tenant && $0.alarm.kind == "alarm" })
                #expect(all.allSatisfy { $0.isSigned })
                #expect(all.contains { $0.alarm.alarm.kind == .range })
                try await service.database.withTenantRows(service.tenant) { connection in
                    _ = try await connection.execute("UPDATE alarm_notices SET next_attempt_at = now()")
                }
                try await delivery.deliverDue()
                #expect(receiver.taken.count == all.count, "what was taken is not sent again")
            }
        }
    }

    @Test("the pause between attempts doubles, from five seconds to an hour")
    func backOff() {
        #expect((1...4).map { AlarmDelivery.backoff.pause(after: $0) } == [5, 10, 20, 40].map { .seconds($0) })
        #expect(AlarmDelivery.backoff.pause(after: 60) == .seconds(3_600))
    }
}
