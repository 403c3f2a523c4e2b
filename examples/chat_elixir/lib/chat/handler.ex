defmodule Chat.Handler do
  @moduledoc """
  A chat room for everybody who connects to `/chat/NAME`.

  A handler of Cowboy 2.x: `init/2` looks at the request, the other callbacks run in the
  connection's own process, which is what registers in the room.
  """

  @ping_every :timer.seconds(25)

  def init(req, _opts) do
    {:cowboy_websocket, req, :drover_req.binding(:name, req),
     %{compress: true, idle_timeout: 60_000, max_frame_size: 16_384}}
  end

  def websocket_init(name) do
    {:ok, _} = Registry.register(Chat.Room, :lobby, name)
    Process.send_after(self(), :ping, @ping_every)
    tell_all("* #{name} came")
    {[], name}
  end

  def websocket_handle({:text, text}, name) do
    tell_all("#{name}: #{text}")
    {[], name}
  end

  def websocket_handle(_binary_ping_or_pong, name), do: {[], name}

  def websocket_info({:line, line}, name), do: {[{:text, line}], name}

  # The browser's pong keeps a quiet connection from its idle timeout.
  def websocket_info(:ping, name) do
    Process.send_after(self(), :ping, @ping_every)
    {[:ping], name}
  end

  def websocket_info(_other, name), do: {[], name}

  def terminate(_reason, _req, name) do
    tell_all("* #{name} left")
  end

  defp tell_all(line) do
    Registry.dispatch(Chat.Room, :lobby, fn members ->
      for {pid, _name} <- members, do: send(pid, {:line, line})
    end)
  end
end
