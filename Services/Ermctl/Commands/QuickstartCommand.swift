import ArgumentParser
import Contracts
import Foundation

struct QuickstartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quickstart",
        abstract: "Walk the main job once: tenant, login, import, training, deployment, prediction.",
        discussion: "What is done already is kept, so that it may be run again.")

    @OptionGroup var operatorOptions: TenantCommand.OperatorOptions
    @Option(help: "Folder of CSV files to import.") var data: String
    @Option(help: "The tenant's subdomain.") var tenant: String
    @Option(help: "Folder where the tenant's first login is kept.") var credentials: String
    @Option(help: "Also write URL, tenant, login and prediction to this file, as JSON.") var json: String?

    func run() async throws {
        guard let subdomain = Subdomain(rawValue: tenant) else {
            throw ValidationError("--tenant \(Subdomain.problem(with: tenant) ?? "is not valid")")
        }
        let tour = Quickstart(
            subdomain: subdomain, data: data, credentials: URL(fileURLWithPath: credentials, isDirectory: true))
        let result = try await withClient(operatorOptions.client(patience: .long)) {
            try await tour.run(asOperator: $0)
        }
        print(PredictCommand.text(result.prediction))
        if let json { try PrivateFile.write(try WireJSON.encode(result), to: URL(fileURLWithPath: json)) }
    }
}

/// The first login to a tenant that this command made, kept so that it may be used again.
struct FirstLogin: Codable, Sendable {
    let tenantId: TenantID
    let subdomain: String
    let email: String
    let password: String
}

/// What a run of the main job ends with.
struct QuickstartResult: Codable, Sendable {
    let url: String
    let tenant: Tenant
    /// File with e-mail and password of the tenant's administrator.
    let loginFile: String
    /// File with the access and refresh tokens of that login.
    let sessionFile: String
    let accessToken: String
    let model: Model
    let prediction: Prediction
}

/// The main job from tenant to prediction, each step done only where it has not been done.
struct Quickstart {
    let subdomain: Subdomain
    let data: String
    let credentials: URL

    func run(asOperator platform: PlatformClient) async throws -> QuickstartResult {
        let history = try HistoryFolder(directory: data)
        let (tenant, login) = try await tenant(platform)
        say("tenant \(tenant.subdomain) (\(tenant.id))")
        let store = SessionStore()
        let session = try await LoginCommand.logIn(
            url: platform.url, tenant: tenant.id, subdomain: tenant.subdomain, email: login.email,
            password: login.password, store: store)
        let client = PlatformClient(url: platform.url, credential: .session(session, store), patience: .long)
        return try await withClient(client) { client in
            say("importing \(data)")
            say(FolderImport.summary(try await FolderImport(directory: data, policy: .abort).run(client)))
            let model = try await deployedModel(client, history)
            let prediction = try await predict(client, history)
            return QuickstartResult(
                url: platform.url, tenant: tenant, loginFile: loginFile.path, sessionFile: store.file.path,
                accessToken: try store.load().accessToken, model: model, prediction: prediction)
        }
    }

    private var loginFile: URL { credentials.appendingPathComponent("\(subdomain).json") }

    private func say(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

    /// The tenant of that subdomain. The login is written to disk before the tenant is created, so that an interrupted run
    /// never leaves a tenant with an unknown password.
    private func tenant(_ platform: PlatformClient) async throws -> (Tenant, FirstLogin) {
        let known = try await platform.list("/api/v1/tenants", of: Tenant.self).first {
            $0.subdomain == subdomain.rawValue
        }
        if let known {
            guard let login = try? WireJSON.decode(FirstLogin.self, from: Data(contentsOf: loginFile)) else {
                throw CommandFailure("Tenant \(subdomain) is there, but \(loginFile.path) with its login is not.")
            }
            return (known, login)
        }
        let email = "admin@\(subdomain).example"
        let pending = (try? String(contentsOf: passwordFile, encoding: .utf8)) ?? RandomPassword.make()
        try PrivateFile.makeFolder(credentials)
        try PrivateFile.write(Array(pending.utf8), to: passwordFile)
        let tenant: Tenant = try await platform.post(
            "/api/v1/tenants",
            CreateTenantRequest(
                name: subdomain.rawValue, subdomain: subdomain, plan: .enterprise, adminEmail: email,
                adminPassword: pending))
        let login = FirstLogin(tenantId: tenant.id, subdomain: subdomain.rawValue, email: email, password: pending)
        try PrivateFile.write(try WireJSON.encode(login), to: loginFile)
        return (tenant, login)
    }

    private var passwordFile: URL { credentials.appendingPathComponent("\(subdomain).password") }

    private func deployedModel(_ client: PlatformClient, _ history: HistoryFolder) async throws -> Model {
        let models = try await client.list("/api/v1/models", of: ModelSummary.self)
        if let deployed = models.first(where: { $0.status == .deployed }) {
            say("model version \(deployed.version) (\(deployed.kind)) is deployed")
            return try await client.get("/api/v1/models/\(deployed.id)")
        }
        say("training on \(history.months) months up to \(WireJSON.timestamp(history.asOf))")
        let started: TrainingJobStarted = try await client.post(
            "/api/v1/training/jobs", CreateTrainingJobRequest(months: history.months, seed: 1, asOf: history.asOf))
        let job = try await TrainingWatch(client: client).untilEnd(of: started.jobId)
        guard let id = job.modelId else { throw CommandFailure("The training job registered no model.") }
        let trained: Model = try await client.get("/api/v1/models/\(id)")
        say(ModelsCommand.report(trained))
        if trained.status != .validated { say("the model has not passed its gates; it is deployed by force") }
        let deployed: Model = try await client.post(
            "/api/v1/models/\(id)/deploy", DeployModelRequest(force: trained.status == .validated ? nil : true))
        say("deployed model version \(deployed.version) (\(deployed.kind))")
        return deployed
    }

    /// Asks for one more task like the newest finished one, as of the moment after the last known outcome.
    private func predict(_ client: PlatformClient, _ history: HistoryFolder) async throws -> Prediction {
        let newest = history.newest
        say("predicting \(newest.employee) on \(newest.project), planned \(newest.plannedHours.fixed(2)) h")
        return try await client.post(
            "/api/v1/predictions",
            PredictionRequest(
                employeeId: try await Lookup.employee(newest.employee, client),
                projectId: try await Lookup.project(newest.project, client),
                requiredSkills: newest.skills, plannedHours: newest.plannedHours, asOf: history.asOf))
    }
}

enum RandomPassword {
    /// 24 letters and digits from the system's generator: 142 bits.
    static func make() -> String {
        let alphabet = Array("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")
        return String((0..<24).map { _ in alphabet[Int.random(in: alphabet.indices)] })
    }
}
