import ArgumentParser

/// The operator's command line: everything a running platform is asked to do, through its one public URL.
@main
struct Ermctl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ermctl",
        abstract: "Operate an ERM platform: tenants, imports, training, deployment, predictions.",
        subcommands: [
            TenantCommand.self, LoginCommand.self, WhoAmICommand.self, ImportCommand.self, TrainCommand.self,
            ScheduleCommand.self, ModelsCommand.self, DeployCommand.self, PredictCommand.self, QuickstartCommand.self,
            PeopleCommand.self,
            BookingsCommand.self, LeaveCommand.self, ReportCommand.self,
            KeysCommand.self, AuditCommand.self, DemoDataCommand.self, BenchCommand.self,
        ]
    )

    static func main() async {
        LineBuffering.begin()
        await main(nil)
    }
}

/// Measures what the platform claims; each prints `name=value` lines.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure speed and accuracy on this machine.",
        subcommands: [
            BenchTrainingCommand.self, BenchInferenceCommand.self, BenchDatasetCommand.self, BenchFeaturesCommand.self,
            BenchFeedCommand.self, BenchImportCommand.self, BenchAccuracyCommand.self, BenchHonestyCommand.self,
            BenchPlanningCommand.self,
            BenchTenantsCommand.self, BenchPredictCommand.self, BenchRevocationCommand.self, BenchGatewayCommand.self,
            BenchRBACCommand.self,
        ]
    )
}
