import Contracts
import Forecasting
import Foundation
import HTTPClient
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Postgres
import ServiceIdentity
import ServiceKit
import ServiceStorage
import TestSupport
import Testing

@testable import MLTraining

/// The service's router and workers over a real database, with tenant-admin on a live socket.
@Suite struct TrainingOverHTTPTests {
    @Test("from a started job to a deployed model that ml-prediction gets")
    func wholeWay() async throws {
        let history = SyntheticHistory(allocations: 90)
        try await TrainingService.with(history: history, working: true) { service in
            let body = #"{"months": 240, "epochs": 10, "seed": 5, "asOf": "\#(WireJSON.timestamp(history.end))"}"#
            let started = try await service.send(.post, "/api/v1/training/jobs", body)
            #expect(started.status == .accepted && started.body["data"]?["status"]?.stringValue == "training_started")
            // Before a job of the tenant's own was measured there is an estimate too.
            #expect((started.body["data"]?["estimatedTime"]?.doubleValue ?? 0) > 0)
            let id = try #require(started.body["data"]?["jobId"]?.stringValue)
            let events = try await service.send(.get, "/api/v1/training/jobs/\(id)/events")
            let text = String(decoding: events.bytes, as: UTF8.self)
            #expect(text.contains("event: progress") && text.contains("\"status\":\"succeeded\""))

            let job = try await service.send(.get, "/api/v1/training/jobs/\(id)?progress=3")
            let model = try #require(job.body["data"]?["modelId"]?.stringValue)
            let stored = try await service.send(.get, "/api/v1/models/\(model)")
            let digest = try #require(stored.body["data"]?["artifactSha256"]?.stringValue)
            guard case .array(let candidates)? = stored.body["data"]?["metrics"]?["candidates"] else {
                Issue.record("no candidates")
                return
            }
            #expect(candidates.count > 3)

            let internalPath = "/internal/v1/tenants/\(service.tenant)"
            let none = try await service.send(.get, internalPath + "/deployment", from: .mlPrediction)
            #expect(none.status == .notFound && none.body["code"]?.stringValue == "no_deployed_model")
            let deployed = try await service.send(.post, "/api/v1/models/\(model)/deploy", #"{"force": true}"#)
            #expect(deployed.body["data"]?["status"]?.stringValue == "deployed")
            let now = try await service.send(.get, internalPath + "/deployment", from: .mlPrediction)
            #expect(now.body["data"]?["artifactSha256"]?.stringValue == digest)
            let artifact = try await service.send(.get, internalPath + "/models/\(model)/artifact", from: .mlPrediction)
            #expect(NewModel.digest(of: artifact.bytes) == digest)
            let bundle = try await service.send(.get, "/api/v1/models/\(model)/artifact?format=bundle")
            #expect(bundle.bytes == artifact.bytes)
            let onnx = try await service.send(.get, "/api/v1/models/\(model)/artifact?format=onnx")
            let exported = try ForecastModel(decoding: bundle.bytes).onnx()
            #expect(onnx.status == .ok && onnx.bytes == exported)
            #expect(onnx.headers[.contentType] == "application/octet-stream")
            #expect(onnx.headers[.contentDisposition] == "attachment; filename=\"model-v1.onnx\"")
            #expect(onnx.headers[.eTag] == "\"\(NewModel.digest(of: onnx.bytes))\"")
            let other = try await service.send(.get, "/api/v1/models/\(model)/artifact?format=onnx&withPlan=false")
            #expect(other.bytes == (try ForecastModel(decoding: bundle.bytes).onnx(withPlan: false)))
            #expect(other.bytes != onnx.bytes)
            #expect(other.headers[.contentDisposition] == "attachment; filename=\"model-v1-without-plan.onnx\"")
            let whole = try await service.send(.get, "/api/v1/models/\(model)/artifact?withPlan=false")
            #expect(whole.status == .unprocessableContent && "\(whole.body)".contains("\"withPlan\""))
            let keras = try await service.send(.get, "/api/v1/models/\(model)/artifact?format=keras")
            #expect(keras.status == .unprocessableContent && "\(keras.body)".contains("\"format\""))

            let dataset = "/api/v1/datasets/\(try #require(job.body["data"]?["datasetId"]?.stringValue))"
            try await reads(dataset, service)

            // Now a speed is known.
            let second = try await service.send(.post, "/api/v1/training/jobs", body)
            #expect((second.body["data"]?["estimatedTime"]?.doubleValue ?? 0) > 0)
            // And none of it is another tenant's.
            for path in [
                "training/jobs/\(id)", "training/jobs/\(id)/events", "models/\(model)", "models/\(model)/artifact",
                "\(dataset.dropFirst(8))", "\(dataset.dropFirst(8))/rows", "\(dataset.dropFirst(8))/report",
                "\(dataset.dropFirst(8))/features",
            ] {
                #expect(
                    try await service.send(.get, "/api/v1/\(path)", tenant: TenantID()).status == .notFound, "\(path)")
            }
            #expect(
                try await service.send(.post, "/api/v1/models/\(model)/deploy", tenant: TenantID()).status == .notFound)
        }
    }

    /// The dataset of 90 rows in every form it is served in.
    private func reads(_ dataset: String, _ service: TrainingService) async throws {
        func items(_ body: JSONValue) -> [JSONValue] {
            if case .array(let all)? = body["data"] { all } else { [] }
        }
        let list = try await service.send(.get, "/api/v1/datasets")
        #expect(items(list.body).count == 1)
        try await readsFeatures(dataset, service, entry: try #require(items(list.body).first))
        var (rows, cursor, pages) = ([JSONValue](), "", 0)
        repeat {
            let page = try await service.send(.get, "\(dataset)/rows?limit=40\(cursor)")
            rows += items(page.body)
            pages += 1
            cursor = page.body["page"]?["nextCursor"]?.stringValue.map { "&cursor=\($0)" } ?? ""
        } while !cursor.isEmpty && pages < 9
        #expect(rows.count == 90 && pages == 3)
        #expect(Set(rows.compactMap { $0["allocationId"]?.stringValue }).count == 90)

        let csv = try await service.send(.get, "\(dataset)/rows?format=csv")
        let lines = String(decoding: csv.bytes, as: UTF8.self).split(separator: "\r\n")
        #expect(lines.count == 91 && csv.headers[.contentType]?.hasPrefix("text/csv") == true)
        #expect(lines.dropFirst().map { String($0.prefix(36)) } == rows.compactMap { $0["allocationId"]?.stringValue })
        let accepted = try await service.send(.get, "\(dataset)/rows", headers: [.accept: "text/csv"])
        #expect(accepted.bytes == csv.bytes)
        // One person's, in both forms.
        let person = try #require(rows[0]["employeeId"]?.stringValue)
        let own = rows.filter { $0["employeeId"]?.stringValue == person }
        let filtered = try await service.send(.get, "\(dataset)/rows?employeeId=\(person)")
        #expect(own.count < 90 && items(filtered.body) == own)
        let ownCSV = try await service.send(.get, "\(dataset)/rows?employeeId=\(person)&format=csv")
        #expect(String(decoding: ownCSV.bytes, as: UTF8.self).split(separator: "\r\n").count == own.count + 1)
        let report = try await service.send(.get, "\(dataset)/report")
        #expect(report.body["data"]?["rows"]?.doubleValue == 90)
        #expect(report.body["data"]?["people"]?["distinct"]?.doubleValue == 6)

        for query in ["format=xml", "format=csv&limit=5", "cursor=nonsense", "page=2"] {
            #expect(
                try await service.send(.get, "\(dataset)/rows?\(query)").status == .unprocessableContent, "\(query)")
        }
        for path in ["", "/rows", "/report", "/features"] {
            let status = try await service.send(.get, dataset + path, actions: ["train"]).status
            #expect(status == .forbidden, "\(path)")
        }
    }

    private func readsFeatures(_ dataset: String, _ service: TrainingService, entry: JSONValue) async throws {
        func names(_ query: String) async throws -> [String] {
            guard case .array(let all)? = try await service.send(.get, "\(dataset)/features\(query)").body["data"]
            else {
                return []
            }
            return all.compactMap { feature in
                let isWhole = ["meaning", "unit", "knownWhen"].allSatisfy { feature[$0]?.stringValue?.isEmpty == false }
                return isWhole ? feature["name"]?.stringValue : nil
            }
        }
        let withPlan = try await names("")
        #expect(entry["labelKeys"] == .array([]))
        #expect(withPlan.count == entry["featureCount"]?.doubleValue.map { Int($0) })
        #expect(withPlan.contains("person.latest20") && withPlan.contains("plan"))
        let withoutPlan = try await names("?withPlan=false")
        #expect(!withoutPlan.isEmpty && !withoutPlan.contains("plan"))
        let wrong = try await service.send(.get, "\(dataset)/features?withPlan=maybe")
        #expect(wrong.status == .unprocessableContent && "\(wrong.body)".contains("\"withPlan\""))
    }

    @Test("every bad field of a job is named, and nothing is queued")
    func badJob() async throws {
        try await TrainingService.with { service in
            let bad = try await service.send(
                .post, "/api/v1/training/jobs",
                #"{"months": 0, "epochs": "many", "modelType": "x", "speed": 1, "hyperparameters": {"dropout": 2, "width": 9}}"#
            )
            #expect(bad.status == .unprocessableContent)
            for field in [
                "months", "epochs", "modelType", "speed", "hyperparameters.dropout", "hyperparameters.width",
            ] {
                #expect("\(bad.body)".contains("\"\(field)\""), "\(field)")
            }
            #expect(try await service.send(.post, "/api/v1/training/jobs", "{").status == .badRequest)
            #expect(try await service.send(.get, "/api/v1/training/jobs").body["data"] == .array([]))
        }
    }

    @Test("jobs are listed newest first, page by page, and can be cancelled once")
    func listAndCancel() async throws {
        try await TrainingService.with { service in
            var ids: [String] = []
            for _ in 0..<3 {
                let started = try await service.send(.post, "/api/v1/training/jobs", "{}")
                ids.append(try #require(started.body["data"]?["jobId"]?.stringValue))
            }
            let first = try await service.send(.get, "/api/v1/training/jobs?limit=2")
            let cursor = try #require(first.body["page"]?["nextCursor"]?.stringValue)
            let second = try await service.send(.get, "/api/v1/training/jobs?limit=2&cursor=\(cursor)")
            func listed(_ body: JSONValue) -> [String] {
                if case .array(let jobs)? = body["data"] { jobs.compactMap { $0["id"]?.stringValue } } else { [] }
            }
            #expect(listed(first.body) + listed(second.body) == ids.reversed())
            #expect(second.body["page"]?["nextCursor"] == .null)
            #expect(try await service.send(.delete, "/api/v1/training/jobs/\(ids[0])").status == .accepted)
            let again = try await service.send(.delete, "/api/v1/training/jobs/\(ids[0])")
            #expect(again.status == .conflict && again.body["code"]?.stringValue == "job_not_cancellable")
            #expect(
                try await service.send(.delete, "/api/v1/training/jobs/\(ids[1])", tenant: TenantID()).status
                    == .notFound)
        }
    }

    @Test("a plan without training hours takes no job, and one that cannot be asked takes none either")
    func plan() async throws {
        try await TrainingService.with(trainingHours: 0) { service in
            let refused = try await service.send(.post, "/api/v1/training/jobs", "{}")
            #expect(refused.status == .forbidden && refused.body["code"]?.stringValue == "quota_exceeded")
            let usage = try await service.send(.get, "/api/v1/training/usage", actions: ["read"])
            #expect(usage.body["data"]?["allowedHours"]?.doubleValue == 0)
            #expect(try await service.send(.get, "/api/v1/training/usage", actions: ["train"]).status == .forbidden)
            #expect(try await service.send(.get, "/api/v1/training/jobs").body["data"] == .array([]))
        }
        try await TrainingService.with(trainingHours: nil) { service in
            let unknown = try await service.send(.post, "/api/v1/training/jobs", "{}")
            #expect(unknown.status == .serviceUnavailable && unknown.headers[.retryAfter] != nil)
            #expect(try await service.send(.get, "/api/v1/training/usage").status == .serviceUnavailable)
            #expect(try await service.send(.get, "/api/v1/training/jobs").body["data"] == .array([]))
        }
    }

    @Test("permissions are checked again here, and each route hears its own callers only")
    func callers() async throws {
        try await TrainingService.with { service in
            let statuses = try await [
                service.send(.post, "/api/v1/training/jobs", "{}", actions: ["read"]).status,
                service.send(.post, "/api/v1/models/rollback", actions: ["train"]).status,
                service.send(.get, "/internal/v1/tenants/\(service.tenant)/deployment").status,
                service.send(.get, "/api/v1/models", from: .mlPrediction).status,
            ]
            #expect(statuses == [.forbidden, .forbidden, .unauthorized, .unauthorized])
        }
    }
}
