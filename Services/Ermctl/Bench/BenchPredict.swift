import ArgumentParser
import Contracts
import Foundation

/// `ermctl bench predict`: how fast predictions are answered.
struct BenchPredictCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Measure predictions: computing, throughput and latency.",
        discussion: """
            First on this machine alone: `disk_commits_per_s` and `disk_commit_ms` are writes of 8 KiB, each forced to the disk \
            of --disk, one after the other, as a commit is; `ranking_N_ms` is the time in which a model compares N people, \
            `one_by_one_N_ms` the same asked person by person. Then, with an operator's key, on a running platform: for each \
            number of people a tenant is made, filled, trained and deleted again; `people_N_connections_C_…` are predictions a \
            second, the median and the 99th percentile of their latency in milliseconds, with five alternatives out of N people, \
            and `…_alone_…` without any; `stream_…` is one request of ten thousand questions. With --peer also one row through \
            the Open Inference Protocol beside the same network behind FastAPI; with --rows a small tenant beside the import and \
            the load of that history; with --tenants so many tenants on one node.
            """)

    @OptionGroup var operatorOptions: TenantCommand.OperatorOptions
    @Flag(help: "Ask nothing of a platform.") var offline = false
    @Option(help: "Folder on the disk whose commits are measured.") var disk = NSTemporaryDirectory()
    @Option(help: "People of a tenant, separated by commas.") var people = "20,1000,10000"
    @Option(help: "Connections, separated by commas.") var connections = "1,16,64"
    @Option(help: "Seconds of each measurement.") var seconds = 5.0
    @Flag(help: "Ask by wrk, which takes less of the machine than this program.") var wrk = false
    @Option(help: "Finished allocations of each person.") var allocations = 20
    @Option(help: "A Python with fastapi, uvicorn[standard], onnxruntime, numpy, for a trial that needs wrk.") var peer:
        String?
    @Option(help: "Rows of a large tenant's history; 0 for no such trial.") var rows = 0
    @Option(help: "Numbers of tenants on one node, separated by commas; none for no such trial.") var tenants = ""
    @Option(help: "The node's process on this machine, whose memory is read with --tenants.") var process: Int?

    func validate() throws {
        guard rows == 0 || (2_000...2_000_000).contains(rows) else {
            throw ValidationError("--rows must be 0 or in 2000…2000000.")
        }
        let tenants = try tenants.isEmpty ? [] : Self.numbers(tenants, "tenants")
        guard tenants.allSatisfy({ (1...10_000).contains($0) }), tenants == tenants.sorted() else {
            throw ValidationError("--tenants must be in 1…10000, ascending.")
        }
        guard try Self.numbers(people, "people").allSatisfy({ (2...100_000).contains($0) }) else {
            throw ValidationError("--people must be in 2…100000.")
        }
        guard try Self.numbers(connections, "connections").allSatisfy({ (1...1_000).contains($0) }) else {
            throw ValidationError("--connections must be in 1…1000.")
        }
        guard (0.1...600).contains(seconds) else { throw ValidationError("--seconds must be in 0.1…600.") }
        guard (5...1_000).contains(allocations) else { throw ValidationError("--allocations must be in 5…1000.") }
    }

    static func numbers(_ text: String, _ name: String) throws -> [Int] {
        let parts = text.split(separator: ",")
        let numbers = parts.compactMap { Int($0) }
        guard !parts.isEmpty, numbers.count == parts.count else {
            throw ValidationError("--\(name) must be whole numbers separated by commas.")
        }
        return numbers
    }

    func run() async throws {
        let (people, connections) = (
            try Self.numbers(people, "people"), try Self.numbers(connections, "connections")
        )
        let rate = try DiskCommits.perSecond(in: disk)
        print("disk_commits_per_s=\(rate.fixed(0))")
        print("disk_commit_ms=\((1_000 / rate).fixed(2))")
        for trial in try RankingTrial.run(people: people.filter { $0 >= 1_000 }) {
            print("ranking_\(trial.people)_ms=\(trial.together.fixed(2))")
            print("one_by_one_\(trial.people)_ms=\(trial.alone.fixed(2))")
        }
        guard !offline else { return }
        try await withClient(operatorOptions.client(patience: .long)) { platform in
            for (place, count) in people.enumerated() {
                try await measure(count, connections, platform, isFirst: place == 0)
            }
            if rows > 0 { try await PredictLargeTenantTrial(rows: rows, seconds: seconds).run(platform) }
            if !tenants.isEmpty {
                try await PredictTenantsTrial(
                    counts: try Self.numbers(tenants, "tenants"), process: process, seconds: seconds
                ).run(platform)
            }
        }
    }

    private func measure(
        _ people: Int, _ connections: [Int], _ platform: PlatformClient, isFirst: Bool
    ) async throws {
        let tenant = try await TemporaryTenant(platform)
        do {
            let company = PredictionCompany(people: people, allocations: allocations)
            let question = try await company.fill(tenant.client)
            for count in connections {
                for (name, alternatives) in [("", 5), ("_alone", 0)] {
                    try await ask(
                        question.with(alternatives), tenant, platform, connections: count,
                        as: "people_\(people)_connections_\(count)\(name)")
                }
            }
            if isFirst {
                try await PredictStreamTrial().run(question, tenant, platform)
                if let peer { try await PredictPeerTrial(python: peer, seconds: seconds).run(tenant, platform) }
            }
        } catch {
            try? await tenant.remove(platform)
            throw error
        }
        try await tenant.remove(platform)
    }

    private func ask(
        _ question: PredictionRequest, _ tenant: TemporaryTenant, _ platform: PlatformClient, connections: Int,
        as name: String
    ) async throws {
        let token = try await tenant.token()
        if wrk {
            try Wrk.post(
                try WireJSON.encode(question), to: "\(platform.url)/api/v1/predictions", token: token,
                connections: connections, seconds: seconds
            ).show(name)
        } else {
            try await PredictionLoad(url: platform.url, token: token, question: question)
                .measure(connections: connections, seconds: seconds).show(name)
        }
    }
}
