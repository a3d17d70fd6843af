import Contracts
import Foundation
import Testing

@testable import ServiceKit

@Suite("Settings")
struct SettingsTests {
    let keys = [
        ConfigurationKey("http.port", .integer(0...65_535), default: "8080", help: "Port."),
        ConfigurationKey("log.format", .choice(["json", "text"]), default: "json", help: "Format."),
        ConfigurationKey("shutdown.grace", .duration(.zero ... .seconds(60)), default: "10s", help: "Grace."),
        ConfigurationKey("ml-prediction.url", .urls, default: "http://127.0.0.1:8083", help: "Nodes."),
        ConfigurationKey("feature.on", .bool, default: "false", help: "On."),
        ConfigurationKey("database.url", .secret, required: true, help: "Database."),
    ]

    func settings(_ arguments: [String] = [], _ environment: [String: String] = [:]) throws -> ServiceSettings {
        try ServiceSettings(
            keys: keys, arguments: arguments, environment: ["DATABASE_URL": "postgres://db"].merging(environment) { $1 }
        )
    }

    func problems(_ arguments: [String], _ environment: [String: String] = [:]) -> [String] {
        do {
            _ = try settings(arguments, environment)
            return []
        } catch {
            return (error as? ConfigurationError)?.problems ?? ["\(error)"]
        }
    }

    @Test("a flag wins over the environment, the environment over the default")
    func precedence() throws {
        #expect(try settings().int("http.port") == 8080)
        #expect(try settings([], ["HTTP_PORT": "1"]).int("http.port") == 1)
        #expect(try settings(["--http-port", "2"], ["HTTP_PORT": "1"]).int("http.port") == 2)
        #expect(try settings(["--http-port=3"]).int("http.port") == 3)
        #expect(try settings([], ["HTTP_PORT": ""]).int("http.port") == 8080)
    }

    @Test("each kind is read as what it is")
    func kinds() throws {
        let settings = try settings(
            ["--feature-on", "--shutdown-grace", "1500ms", "--ml-prediction-url", "http://a:1, https://b:2/"])
        #expect(settings.bool("feature.on"))
        #expect(settings.duration("shutdown.grace") == .milliseconds(1500))
        #expect(settings.urls("ml-prediction.url") == ["http://a:1", "https://b:2"])
    }

    @Test("a connection string keeps its commas and equals signs")
    func commas() throws {
        let url = "postgresql://u:p,w=x@h1,h2/db?target_session_attrs=any"
        #expect(try settings(["--database-url", url]).secret("database.url") == url)
        #expect(try settings(["--database-url=" + url]).secret("database.url") == url)
    }

    @Test("all problems are named at once, each with its key")
    func allProblems() {
        let found = problems(
            ["--http-port", "70000", "--log-format=xml", "--typo", "1", "--shutdown-grace", "10", "stray"],
            ["ML_PREDICTION_URL": "http://a:1,ftp://b", "FEATURE_ON": "maybe"])
        #expect(found.count == 7)
        for key in ["http.port", "log.format", "--typo", "shutdown.grace", "stray", "ml-prediction.url", "feature.on"] {
            #expect(found.contains { $0.contains(key) }, "\(key)")
        }
    }

    @Test("a required key without value, a flag twice and a flag without value are refused")
    func missing() {
        #expect(
            problems([], ["DATABASE_URL": ""]).first?.hasPrefix(
                "database.url (--database-url, DATABASE_URL) is missing") == true)
        #expect(problems(["--http-port", "1", "--http-port", "2"]).count == 1)
        #expect(problems(["--http-port"]).first == "--http-port needs a value")
    }

    @Test("a secret comes from a file too, and is never repeated in a refusal")
    func secrets() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        try Data("postgres://from-file\n".utf8).write(to: URL(fileURLWithPath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        let fromFile = try ServiceSettings(keys: keys, environment: ["DATABASE_URL_FILE": file])
        #expect(fromFile.secret("database.url") == "postgres://from-file")
        #expect(try settings(["--database-url-file", file]).secret("database.url") == "postgres://from-file")
        #expect(try settings([], ["DATABASE_URL_FILE": file]).secret("database.url") == "postgres://db")
        #expect(
            problems([], ["DATABASE_URL": "", "DATABASE_URL_FILE": "/nonexistent"]).first?.contains("/nonexistent")
                == true)
        #expect(problems(["--databse-url=hunter2"]).allSatisfy { !$0.contains("hunter2") })
        #expect(problems([], ["DATABASE_URL": "hunter2\0"]).allSatisfy { !$0.contains("hunter2") })
        for url in ["http://admin:hunter2@h", "http://a:1,http://admin:hunter2@h"] {
            #expect(problems(["--ml-prediction-url", url]).allSatisfy { !$0.contains("hunter2") })
        }
        #expect(
            problems(["--log-format", "json", "postgresql://u:hunter2@h/db"]).allSatisfy { !$0.contains("hunter2") })
    }

    @Test(
        "a URL with path, query or credentials is no base address",
        arguments: [
            "http://u:p@h", "http://h/path", "http://h?q", "h:80", "", "http://", "http://h:99999",
        ])
    func baseURLs(url: String) {
        #expect(problems(["--ml-prediction-url=" + url]).count == 1)
    }

    @Test("the help lists every key with flag, variable and default")
    func help() {
        let text = ConfigurationHelp.text(program: "gateway", keys: ConfigurationKey.common(for: .gateway))
        for part in [
            "--http-port  (HTTP_PORT)", "default 8080", "--database-url-file", "IDENTITY_JWKS_FILE", "required",
        ] {
            #expect(text.contains(part), "\(part)")
        }
    }

    @Test("the common keys have the names that compose uses")
    func names() {
        let names = Set(ConfigurationKey.common(for: .mlTraining).map(\.environmentVariable))
        #expect(
            names.isSuperset(of: [
                "HTTP_HOST", "HTTP_PORT", "OPS_HOST", "OPS_PORT", "LOG_LEVEL", "LOG_FORMAT", "DATABASE_URL",
                "MIGRATIONS_DIRECTORY", "IDENTITY_KEY_FILE", "IDENTITY_JWKS_FILE", "TENANT_ADMIN_URL",
                "ML_TRAINING_URL",
                "ML_PREDICTION_URL", "SHUTDOWN_GRACE",
            ]))
    }
}
