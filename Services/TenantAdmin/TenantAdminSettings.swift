import ServiceKit

/// What tenant-admin can be told beside the settings of every service.
enum TenantAdminSettings {
    static let keys: [ConfigurationKey] =
        TenantPolicies.keys
        + Webhook.keys(help: "Where invitations and password resets are sent; without it the operator fetches them.")
        + [
            .init(
                "imports.max-concurrent", .integer(1...100), default: "8",
                help: "Imports applied and exports read at a time, half of them one tenant's; others wait."),
            .init(
                "imports.max-uploads", .integer(1...1000), default: "64",
                help: "How many uploads may be under way, a sixteenth of them of one tenant."),
            .init(
                "imports.spool-directory", .path,
                help:
                    "Where uploads are kept until they have come whole, and exports until they have been taken; without it the system's temporary directory."
            ),
            .init(
                "imports.spool-limit-mib", .integer(1...1_048_576), default: "4096",
                help: "How much disk the uploads under way may take together, half of it of one tenant."),
            .init(
                "imports.minimum-bytes-per-second", .integer(0...1_048_576), default: "1024",
                help: "An upload that comes more slowly, over half a minute, is broken off; 0 for none."),
            .init(
                "exports.max-concurrent", .integer(1...1000), default: "32",
                help: "How many exports may be under way, a sixteenth of them of one tenant."),
            .init(
                "exports.spool-limit-mib", .integer(1...1_048_576), default: "4096",
                help: "How much disk the exports under way may take together, half of it of one tenant."),
            .init(
                "tenants.ready-schemas", .integer(0...1000), default: "3",
                help: "How many schemas are kept ready for new tenants."),
            .init(
                "tenants.restore-days", .integer(0...3650), default: "30",
                help: "How long a deleted tenant can be restored before it is purged."),
            .init(
                "purge.settling", .duration(.zero ... .seconds(86_400)), default: "6m",
                help:
                    "How long after a tenant's deletion requests under way may still write; it is purged again until then."
            ),
            .init(
                "retention.feed-days", .integer(1...3650), default: "90",
                help: "Retention of deletions in the history feed."),
            .init(
                "retention.import-days", .integer(1...36_500), default: "365",
                help: "How long reports of imports are kept."),
        ]
}
