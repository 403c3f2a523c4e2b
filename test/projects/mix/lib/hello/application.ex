defmodule Hello.Application do
  @moduledoc false
  use Application

  @impl true
  def start(_type, _args) do
    routes = [{:_, [{"/hello", Hello.Socket, []}]}]
    children = [{:drover, ref: :hello, ip: {127, 0, 0, 1}, port: 0, routes: routes}]
    {:ok, supervisor} = Supervisor.start_link(children, strategy: :one_for_one, name: Hello.Supervisor)
    IO.puts("hello listens on port #{:drover.get_port(:hello)}")
    {:ok, supervisor}
  end
end
