defmodule Hello.MixProject do
  use Mix.Project

  def project do
    [app: :hello, version: "1.0.0", elixir: "~> 1.14", deps: deps()]
  end

  def application do
    [mod: {Hello.Application, []}, extra_applications: [:logger]]
  end

  defp deps do
    [{:drover, git: "DROVER_URL", branch: "main", manager: :rebar3}]
  end
end
