enum ForecastingStub {}
