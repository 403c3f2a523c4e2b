defmodule Chat.MixProject do
  use Mix.Project

  def project do
    [app: :chat, version: "0.1.0", elixir: "~> 1.14", deps: deps()]
  end

  def application do
    [mod: {Chat.Application, []}, extra_applications: [:logger]]
  end

  defp deps do
    # In a project of your own: git: "URL of drover's repository" instead of path.
    [{:drover, path: "../..", manager: :rebar3}]
  end
end
