defmodule Chat.Application do
  @moduledoc "The supervision tree: who is in the room, and the listener in front of it."
  use Application

  @impl true
  def start(_type, _args) do
    children = [
      {Registry, keys: :duplicate, name: Chat.Room},
      {:drover, ref: Chat.Listener, ip: {127, 0, 0, 1}, port: port(), routes: routes()}
    ]

    Supervisor.start_link(children, strategy: :one_for_one)
  end

  @doc "The port in use, also where 0 was asked for."
  def listening_port, do: :drover.get_port(Chat.Listener)

  defp port, do: Application.fetch_env!(:chat, :port)

  # Cowboy's route syntax; paths are charlists.
  defp routes do
    [{:_, [{~c"/", Chat.Page, []}, {~c"/chat/:name", Chat.Handler, []}]}]
  end
end
